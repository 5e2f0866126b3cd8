# SPDX-License-Identifier: Apache-2.0
"""The sensor's system tests on the kernels of four Debian releases.

Prints one line per kernel: the tier that the probe chooses, and how many tests passed, failed and were skipped. The
user space is the same everywhere; what is tested is the kernel.
"""

import collections
import functools
import json
import os
import re
import time

QUICK = True  # with one kernel
LONG = True

# The tier that the probe must choose there.
KERNELS = {"bullseye": "legacy", "bookworm": "core", "trixie": "core", "sid": "core"}
# With the kernel side that a program tests, where there are several, the kernels where all of its tests run, and those of its
# tests that run on the others ("": none). What tier fentry tells on those is held against tier core by system_tier_equality.
EVERYWHERE = tuple(KERNELS)
EVENTS = "FileEvents.*:ProcessEvents.*:SocketEvents.*"
PROGRAMS = [
    ("system_bpf_probe", "", EVERYWHERE, ""),
    ("system_sensor_ebpf", "fentry", ("trixie",), ""),
    ("system_sensor_ebpf", "core", EVERYWHERE, ""),
    ("system_sensor_ebpf", "legacy", ("bullseye", "sid"), EVENTS),
    ("system_tier_equality", "", EVERYWHERE, ""),
    ("system_netlink", "", EVERYWHERE, ""),
]
# All that the short form of the scenario runs, by program and side.
SHORT = {("system_bpf_probe", ""): "*", ("system_sensor_ebpf", "core"): "FileEvents.*:ProcessEvents.*"}
UNIT = "auditshift-sensord"
DIRECTORY = "/opt/auditshift-tests"
LINES = 30  # of what a failed test said
TEST_SECONDS = 300  # of one test, without any other to end; for those that hang
SILENT_SECONDS = 20  # without a test that ended: is the program there at all? Asking costs the machine as much as a test
END = r"\[ +(OK|FAILED|SKIPPED) +\] "
OUTCOMES = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}


def run(lab):
    # A selection for work on one kernel: AUDITSHIFT_VM_KERNELS="trixie sid".
    chosen = os.environ.get("AUDITSHIFT_VM_KERNELS", "").split() or (["bookworm"] if lab.quick else list(KERNELS))
    rows = {}

    def on(suite, lab):
        with lab.machine(kernel=suite, cores=2) as machine:
            rows[suite] = one_kernel(lab, machine, suite)

    lab.parallel([functools.partial(on, suite) for suite in chosen])
    lab.note(f"{'suite':9} {'kernel':28} {'tier':8} {'passed':>6} {'failed':>6} {'skipped':>7}")
    for suite in filter(rows.get, chosen):
        lab.note("{:9} {:28} {:8} {:6} {:6} {:7}".format(*rows[suite]))


def one_kernel(lab, machine, suite):
    tier = sensor_tier(machine)
    lab.equal(tier, KERNELS[suite], f"{suite}: tier {KERNELS[suite]}")
    provider_at_work(lab, machine, suite, "ebpf", tier)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for program, side, whole_on, some in PROGRAMS:
        if lab.quick and (program, side) not in SHORT:
            continue
        whole = suite in whole_on or os.environ.get("AUDITSHIFT_VM_TESTS") == "all"
        tests = SHORT[program, side] if lab.quick else "*" if whole else some
        if not tests:
            continue
        if side == "core" and tier == "legacy":
            lab.skip(f"{suite} {program}", f"the programs of tier core do not load where the tier is {tier}")
            continue
        reasons = collections.defaultdict(list)
        for name, outcome, text in run_tests(machine, program, side, tests):
            name = f"{side} {name}".strip()
            counts[outcome] += 1
            lines = text.splitlines()
            if outcome == "skipped":
                reasons[lines[-1] if lines else "no reason given"].append(name)
            else:
                lab.that(outcome == "passed", f"{suite} {name}", "\n".join(lines[:LINES]))
        for reason, names in reasons.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            lab.skip(f"{suite} {names[0]}{more}", reason)
    return (suite, machine.kernel_version, tier, *counts.values())


def provider_at_work(lab, machine, suite, wanted, tier):
    started = machine.run(f"systemctl daemon-reload; systemctl start {UNIT}")
    status = machine.run(f"systemctl show --value -p StatusText {UNIT}").out.strip()
    said = machine.run(f"journalctl -b -u {UNIT} -o cat --no-pager").out
    holds = started.code == 0 and status == f"Events come from {wanted}"
    lab.that(holds, f"{suite}: the sensor takes {wanted}", f"{status}\n{said}")
    used = machine.run("auditshift health --field sensor_tier").out.strip().strip('"')
    lab.equal(used, tier, f"{suite}: in tier {tier}")
    machine.run(f"systemctl stop {UNIT}")


def sensor_tier(machine):
    """What assess finds that a sensor could do here."""
    result = machine.run("auditshift assess --json", seconds=300)
    try:
        return json.loads(result.out)["sensor"]["tier"]
    except (ValueError, KeyError):
        return f"unknown ({result.err.strip()[:60]})"


def run_tests(machine, program, side="", only="*"):
    """(name, passed|failed|skipped, what it said) of each test of a GoogleTest program, as they end.

    A test that takes too long or ends the whole program has failed; the others are run without it.
    """
    done = set()
    while True:
        ended, running = False, ""
        for name, outcome, text in follow(machine, program, side, only, done):
            if outcome == "running":
                running = f"{name}\n{text}"
                continue
            if outcome == "ended":
                ended = True
                continue
            done.add(name)
            yield name, outcome, text
        if ended:
            return
        name, _, text = running.partition("\n")
        if not name or name in done:
            yield program, "failed", f"ended before its first test\n{text}"
            return
        done.add(name)
        yield name, "failed", f"did not end within {TEST_SECONDS} seconds, or ended the program\n{text}"


def follow(machine, program, side, only, without):
    """Runs the tests `only` of the program, but not those `without`. Yields each test that ended, then `ended` or what still ran."""
    log, skip = f"/tmp/{program}-{side}.log", ":".join(sorted(without))
    options = f"--gtest_color=no '--gtest_filter={only}-{skip}'"
    tier = f"AUDITSHIFT_TEST_TIER={side} " if side else ""
    start = f"cd /tmp && {tier}setsid {DIRECTORY}/{program} {options} > {log} 2>&1 < /dev/null"
    machine.check(f": > {log}; ({start} &) > /dev/null 2>&1")  # there is a log even before the program began
    seen, since, asked = 0, time.monotonic(), time.monotonic()
    while True:
        alive = True
        if time.monotonic() - max(since, asked) > SILENT_SECONDS:
            alive, asked = machine.run(f"pgrep -f ^{DIRECTORY}/{program}").code == 0, time.monotonic()
        blocks, running, complete = parse(machine.read(log))
        for block in blocks[seen:]:
            yield block
        if len(blocks) > seen:
            seen, since = len(blocks), time.monotonic()
        if complete:
            yield program, "ended", ""
            return
        if not alive or time.monotonic() - since > TEST_SECONDS:
            machine.run(f"killall -q -9 {program}")
            yield running[0], "running", running[1]
            return
        time.sleep(3)


def parse(log):
    """Finished tests of a log of GoogleTest, the one that runs with its text so far, whether it came to the end."""
    blocks, name, text = [], "", []
    for line in log.splitlines():
        if match := re.match(r"\[ RUN      \] (\S+)", line):
            name, text = match.group(1), []
        elif name and (match := re.search(END + re.escape(name) + r"\b.*\(\d+ ms\)", line)):
            blocks.append((name, OUTCOMES[match.group(1)], "\n".join(text)))
            name, text = "", []
        else:
            text.append(line)
    complete = "[==========]" in log and re.search(r"^\[==========\] \d+ tests? .*ran\.", log, re.M) is not None
    return blocks, (name, "\n".join(text)), complete
