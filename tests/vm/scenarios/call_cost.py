# SPDX-License-Identifier: Apache-2.0
"""Instructions of system calls, counted by QEMU: without the sensor, with bare programs, with tier core, with tier fentry.

A call that nobody watches must cost the same with tier fentry as without the sensor. What the sensor adds to a rename is held
against what a program adds that copies its two paths and does nothing else (tests/bare): unlike times, these numbers are the
same on every host.
"""

import json

from machine import MachineError

KERNEL = "trixie"  # the first suite whose kernel has tier fentry
UNIT = "auditshift-sensord"
PROGRAM = "/opt/auditshift-tests/call_cost"
BARE = "/opt/auditshift-tests/attach_bare"
COUNTS, COPIES = "count_calls", "copy_paths"  # programs of bare.bpf.c
SETTINGS = "/etc/default/auditshift-sensord"
TIERS = ("none", "core", "fentry")


def run(lab):
    with lab.machine(kernel=KERNEL, counted=True) as machine:
        machine.put(PROGRAM, (lab.build / "tests/vm/call_cost").read_bytes(), mode="755")
        machine.put(BARE, (lab.build / "tests/vm/attach_bare").read_bytes(), mode="755")
        machine.check("systemctl daemon-reload")
        costs = {program: bare(machine, program) for program in (COUNTS, COPIES)}
        for tier in TIERS:
            if started(lab, machine, tier):
                costs[tier] = counted(machine)
                machine.check(f"systemctl stop {UNIT}")
        lab.equal(costs["none"]["turn"], 2.0, "the counter counts instructions: two in a loop of two")
        for call in ("getppid", "rename", "rename_absolute"):
            lab.note(f"instructions of {call}: " + ", ".join(f"{tier} {costs[tier][call]:.0f}" for tier in costs))
        plain = costs["none"]["getppid"]
        for tier in filter(costs.get, TIERS[1:]):
            against_bare(lab, costs, tier)
        if "core" in costs:
            lab.that(costs["core"]["getppid"] > plain, "tier core: a call that nobody watches pays", costs)
        if "fentry" in costs:
            paid = costs["fentry"]["getppid"] - plain
            # Interrupts apart, not one more; a half of one per cent for where the kernel's own work differs.
            lab.that(abs(paid) < plain / 200, f"tier fentry: a call that nobody watches pays nothing ({paid:+.1f})", costs)


def bare(machine, program):
    """What calls cost with that program attached and nothing else."""
    machine.check(f"systemd-run --quiet --unit=bare -p StandardOutput=file:/run/bare {BARE} {program}")
    if not machine.wait_until("grep -q attached /run/bare"):
        raise MachineError(machine.run("journalctl -u bare -o cat --no-pager; systemctl status bare").out)
    costs = counted(machine)
    machine.check("systemctl stop bare; rm /run/bare")
    return costs


def against_bare(lab, costs, tier):
    def ratio(call, program):
        plain = costs["none"][call]
        return (costs[tier][call] - plain) / (costs[program][call] - plain)

    lab.note(f"tier {tier}, added to getppid, to a program that counts: {ratio('getppid', COUNTS):.2f}")
    for call in ("rename", "rename_absolute"):
        lab.note(f"tier {tier}, added to {call}, to a program that copies both paths: {ratio(call, COPIES):.2f}")


def started(lab, machine, tier):
    if tier == "none":
        return True
    machine.put(SETTINGS, f"OPTIONS=--provider ebpf --tier {tier}\n")
    result = machine.run(f"systemctl start {UNIT}", seconds=600)
    if result.code != 0:
        said = machine.run(f"journalctl -b -u {UNIT} -o cat --no-pager | tail -n 5").out
        lab.skip(f"tier {tier}", f"does not start on {machine.kernel_version}: {said.strip()}")
        return False
    used = json.loads(machine.run("auditshift health --json").out)["sensor_tier"]
    return lab.equal(used, tier, f"the sensor works in tier {tier}")


def counted(machine):
    lines = machine.check(f"mkdir -p /run/call-cost && cd /run/call-cost && {PROGRAM}", seconds=600).splitlines()
    return {name: float(number) for name, number in (line.split() for line in lines)}
