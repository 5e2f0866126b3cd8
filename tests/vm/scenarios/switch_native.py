# SPDX-License-Identifier: Apache-2.0
"""A locked host (-e 2) without Defender, to this project's sensor: compared before the old rules go; a reboot; and back."""

import json

from switching import DEFENDER, RESUME, ends, has_ended, put_rules, reboots, settled, status_of

SENSOR = "auditshift-sensord"
OWN = {"50-own.rules": "-a always,exit -F arch=b64 -S rename,renameat,renameat2 -k own-renames\n"}
SWITCH = "auditshift switch --agent native --yes --json --compare 20"
# A dozen renames a second; the pause is a read that times out, which starts no process.
WORKLOAD = """#!/bin/bash
cd /var/tmp && exec 9<> <(:)
for ((n = 1; ; n++)); do : >moved-a; mv moved-a moved-b; read -r -t 0.05 -u 9; done
"""


def run(lab):
    with lab.machine(frozen=lab.prepared("locked-native", prepare)) as machine:
        old = state_of(machine)
        lab.that("enabled 2" in old["status"], "before: audit is locked", old["status"])
        lab.that("mdatp" in old["rules"], "before: the kernel holds Defender's rules")
        start_workload(machine)
        sabotaged(lab, machine, old)
        compared(lab, machine)
        is_switched(lab, machine, old)
        reboots(lab, machine, "auditshift rollback --yes --reboot +1")
        has_ended(lab, machine, "rolled-back", 0)
        lab.equal(state_of(machine), old, "rolled back: files, rules, lock and sensor are as before, to the byte")


def prepare(lab, machine):
    put_rules(machine, True, OWN)
    machine.check(f"mkdir -p /etc/auditshift; systemctl enable {RESUME}; augenrules")
    machine.reboot()
    settled(machine)


def state_of(machine):
    files = "find /etc/audit /etc/auditshift -printf '%p %m %u %g %l\\n' -type f -exec sha256sum {} + | sort"
    return {
        "status": machine.check("auditctl -s | grep -E '^(enabled|failure|rate_limit|backlog_limit) '"),
        "rules": machine.check("auditctl -l"),
        "files": machine.check(files),
        "sensor": machine.run(f"systemctl is-enabled {SENSOR}; systemctl is-active {SENSOR}").out,
    }


def start_workload(machine):
    machine.put("/root/workload", WORKLOAD, mode="755")
    machine.check("systemd-run --quiet --unit=workload /root/workload")


def sabotaged(lab, machine, old):
    """The workload's program is excluded: the user's rule records what the sensor keeps back."""
    before = machine.run("cat /etc/auditshift/managed.json").out
    exclusion = {"$type": "excludedFileName", "scopes": ["global"], "name": "/usr/bin/mv"}
    machine.put("/etc/auditshift/managed.json", json.dumps({"exclusionSettings": {"exclusions": [exclusion]}}))
    result = ends(lab, machine, f"{SWITCH} --reboot never", 5, "the sensor misses what an exclusion keeps back: exit 5")
    told = json.loads(result.out)["comparison"]
    lab.that(told["outcome"] == "missed" and told["missed"] > 0, "the comparison says what was missed", told)
    if before:
        machine.put("/etc/auditshift/managed.json", before)
    else:
        machine.check("rm /etc/auditshift/managed.json")
    lab.equal(state_of(machine), old, "rolled back without a reboot, to the byte")


def compared(lab, machine):
    result = ends(lab, machine, f"{SWITCH} --reboot never", 3)
    told = json.loads(result.out)["comparison"]
    lab.that(told["outcome"] == "nothing-lost" and told["events"] > 0, "compared on locked audit: nothing lost", told)
    lab.that("mdatp" in machine.check("auditctl -l"), "until the reboot the kernel keeps Defender's rules")
    reboots(lab, machine, "auditshift switch --agent native --yes --reboot +1")
    has_ended(lab, machine, "switched", 0)
    lab.equal(status_of(machine)["comparison"], told, "status tells the comparison after the reboot")


def is_switched(lab, machine, old):
    new = state_of(machine)
    lab.equal(new["status"], old["status"], "audit is locked again")
    own = [line for line in old["rules"].splitlines() if "mdatp" not in line]
    lab.equal(new["rules"].splitlines(), own, "the kernel's rules are the user's, all and in their order")
    lab.that(DEFENDER not in new["files"], "Defender's file is gone")
    lab.equal(new["sensor"], "enabled\nactive\n", "the sensor runs and starts at boot")
    health = machine.run("auditshift health --json")
    lab.that(health.code == 0 and '"ebpf"' in health.out, "events come from ebpf", health)
