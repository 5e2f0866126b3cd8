# SPDX-License-Identifier: Apache-2.0
"""A kernel whose type information (BTF) cannot be read: the sensor works in tier legacy, and events flow."""

import json

UNIT = "auditshift-sensord"
EVENTS = "/var/log/auditshift/events.ndjson"
BTF = "/sys/kernel/btf/vmlinux"


def run(lab):
    with lab.machine() as machine:
        machine.check(f"touch /run/empty && mount --bind /run/empty {BTF}")
        started = machine.run(f"systemctl daemon-reload; systemctl start {UNIT}")
        lab.that(started.code == 0, "the sensor starts", machine.run(f"journalctl -u {UNIT} -b --no-pager").out)
        assessed = json.loads(machine.run("auditshift assess --json", seconds=300).out)["sensor"]["tier"]
        lab.equal(assessed, "legacy", "assess: tier legacy")
        health = json.loads(machine.run("auditshift health --json").out)
        lab.equal(health["supplementary_events_subsystem"], "ebpf", "events come from ebpf")
        lab.equal(health["sensor_tier"], "legacy", "health: tier legacy")
        lab.equal(health["healthy"], True, f"health is good: {health['health_issues']}")
        lab.succeeds(machine, "auditshift health --details ebpf | grep '^not tier core'", "its details say why not core")
        lab.succeeds(
            machine, "auditshift health --details ebpf | grep 'compat_calls.*told by'", "32-bit calls are told apart"
        )
        events_flow(lab, machine)
        machine.check(f"systemctl stop {UNIT}; umount {BTF}; systemctl start {UNIT}")
        lab.equal(
            json.loads(machine.run("auditshift health --json").out)["sensor_tier"], "core", "with BTF again: tier core"
        )


def events_flow(lab, machine):
    machine.check("mkdir /var/tmp/work && cd /var/tmp/work && cp /bin/true marked-program && touch a && mv a marked-b")
    machine.check("cd /var/tmp/work && sh -c './marked-program an-argument; rm marked-b; exit 7' || true; sleep 1")
    for what, kind, text in (
        ("a program that was executed", "exec", '"an-argument"'),
        ("a rename in the current directory", "rename", "/var/tmp/work/marked-b"),
        ("what was removed", "deletion", "/var/tmp/work/marked-b"),
    ):
        found = machine.run(f"grep -c -e '{text}' {EVENTS}").out.strip()
        lab.that(found not in ("", "0"), f"{what} is in the stream ({kind})", machine.run(f"tail -5 {EVENTS}").out)
    lab.succeeds(machine, f"grep -q '\"exit_code\":7' {EVENTS}", "the exit code is in the stream")
    executables_are_known(lab, machine)


def executables_are_known(lab, machine):
    """Of programs that have ended, or run another one, before the sensor comes to ask. It has a mount namespace of its own."""
    shell = machine.check("readlink -f /bin/sh").strip()
    machine.check("cd /var/tmp/work && for i in 1 2 3 4 5; do sh -c 'exec ./marked-program in-a-chain'; done; sleep 1")
    lines = machine.check(f"grep -e 'in-a-chain' {EVENTS}").splitlines()
    processes = [process for process in (json.loads(line)["process"] for line in lines) if "args" in process]
    ours = [process for process in processes if process["args"][0] in ("sh", "./marked-program")]
    found = [(process["args"][0], process.get("executable")) for process in ours]
    wanted = [("sh", shell), ("./marked-program", "/var/tmp/work/marked-program")] * 5
    lab.equal(found, wanted, "the executables of an exec chain of short programs")
