# SPDX-License-Identifier: Apache-2.0
"""A user space with auditd 4, where a unit of its own (audit-rules.service) loads the rules: there and back, locked and not."""

import json

from switching import ends, has_ended, is_switched, locked, mutable, reboots, state_of, status_of

SUITE = "trixie"


def run(lab):
    with lab.machine(frozen=mutable(lab, SUITE), kernel=SUITE, suite=SUITE) as machine:
        ran = "systemctl show --value -p ExecMainStartTimestampMonotonic audit-rules.service"
        version, began = machine.run("auditctl -v").out.split()[-1], machine.run(ran).out.strip()
        lab.that(version.startswith("4.") and began.isdigit() and began != "0", f"auditctl {version}; the unit ran at boot", began)
        lab.note("installed: " + machine.run("dpkg-query -W auditshift || echo copies of the programs").out.strip())
        without_a_reboot(lab, machine)
    with lab.machine(frozen=locked(lab, SUITE), kernel=SUITE, suite=SUITE) as machine:
        with_reboots(lab, machine)


def assessed(machine):
    return json.loads(machine.run("auditshift assess --json", seconds=300).out)


def without_a_reboot(lab, machine):
    old, found = state_of(machine), assessed(machine)
    lab.equal((found["verdict"], found["audit"]["loader"]), ("ready", "audit-rules.service"), "assess: ready; the unit loads the rules")
    ends(lab, machine, "auditshift switch --yes", 0)
    is_switched(lab, old, state_of(machine))
    ends(lab, machine, "auditshift verify", 0)
    machine.check("systemctl restart audit-rules.service")
    is_switched(lab, old, state_of(machine), "the rules loaded anew")
    ends(lab, machine, "auditshift rollback --yes", 0)
    lab.equal(status_of(machine)["state"], "rolled-back", "status: rolled-back")
    lab.equal(state_of(machine), old, "rolled back, to the byte")


def with_reboots(lab, machine):
    old = state_of(machine)
    lab.that("enabled 2" in old["status"], "locked: audit is locked", old["status"])
    lab.equal(assessed(machine)["verdict"], "ready-after-reboot", "assess: ready after a reboot")
    reboots(lab, machine, "auditshift switch --yes --reboot +1")
    has_ended(lab, machine, "switched", 0)
    is_switched(lab, old, state_of(machine), "after the boot")
    reboots(lab, machine, "auditshift rollback --yes --reboot +1")
    has_ended(lab, machine, "rolled-back", 0)
    lab.equal(state_of(machine), old, "rolled back, to the byte")
