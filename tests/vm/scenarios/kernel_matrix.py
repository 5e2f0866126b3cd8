# SPDX-License-Identifier: Apache-2.0
"""The sensor's system tests on the kernels of four Debian releases.

Prints one line per kernel: the tier that the probe chooses, and how many tests passed, failed and were skipped. The
user space is the same everywhere; what is tested is the kernel.
"""

import json
import os

KERNELS = ["bullseye", "bookworm", "trixie", "sid"]
PROGRAMS = ["system_bpf_probe", "system_sensor_ebpf", "system_netlink"]
DIRECTORY = "/opt/auditshift-tests"


def run(lab):
    # A selection for work on one kernel: AUDITSHIFT_VM_KERNELS="trixie sid".
    chosen = os.environ.get("AUDITSHIFT_VM_KERNELS", "").split() or KERNELS
    rows = []
    for suite in chosen:
        with lab.machine(kernel=suite) as machine:
            rows.append(one_kernel(lab, machine, suite))
    lab.note(f"{'suite':9} {'kernel':28} {'tier':8} {'passed':>6} {'failed':>6} {'skipped':>7}")
    for row in rows:
        lab.note(f"{row[0]:9} {row[1]:28} {row[2]:8} {row[3]:6} {row[4]:6} {row[5]:7}")


def one_kernel(lab, machine, suite):
    tier = sensor_tier(machine)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for program in PROGRAMS:
        for name, outcome, text in run_tests(machine, program):
            counts[outcome] += 1
            if outcome == "skipped":
                lab.skip(f"{suite} {name}", text.splitlines()[-1] if text else "no reason given")
            else:
                lab.that(outcome == "passed", f"{suite} {name}", text)
    return (suite, machine.kernel_version, tier, *counts.values())


def sensor_tier(machine):
    """What assess finds that a sensor could do here."""
    result = machine.run("auditshift assess --json", seconds=300)
    try:
        return json.loads(result.out)["sensor"]["tier"]
    except (ValueError, KeyError):
        return f"unknown ({result.err.strip()[:60]})"


def run_tests(machine, program):
    """(name, passed|failed|skipped, what it said) of each test. A program that dies is a failure of its own."""
    # Below a BPF file system the tests pin their objects; without one they mount it themselves.
    command = f"cd /tmp && {DIRECTORY}/{program} --gtest_color=no --gtest_output=json:/tmp/{program}.json"
    result = machine.run(f"{command} > /tmp/{program}.log 2>&1", seconds=1500)
    log = machine.run(f"tail -n 60 /tmp/{program}.log").out
    report = machine.run(f"cat /tmp/{program}.json")
    if report.code != 0:
        return [(program, "failed", f"ended with {result.code} and left no report\n{log}")]
    outcomes = []
    for suite in json.loads(report.out)["testsuites"]:
        for test in suite["testsuite"]:
            outcomes.append((f"{suite['name']}.{test['name']}", *outcome_of(test)))
    return outcomes


def outcome_of(test):
    if "failures" in test:
        return "failed", "\n".join(failure["failure"] for failure in test["failures"])
    if test["result"] == "SKIPPED":
        return "skipped", "\n".join(skip.get("message", "") for skip in test.get("skipped", []))
    return "passed", ""
