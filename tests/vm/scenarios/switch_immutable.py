# SPDX-License-Identifier: Apache-2.0
"""The whole switch of a locked host (-e 2): plan, change, a real reboot, the boot unit's verification; and back."""

import json

from switching import MARKER, RESUME, ends, has_ended, is_switched, locked, reboots, state_of

QUICK = True


def run(lab):
    with lab.machine(frozen=locked(lab)) as machine:
        old = state_of(machine)
        lab.that("enabled 2" in old["status"], "before: audit is locked", old["status"])
        lab.that("mdatp" in old["rules"], "before: the kernel holds Defender's rules")
        lab.equal(old["subsystem"], "auditd", "before: events come from auditd")

        go_there(lab, machine)
        is_switched(lab, old, state_of(machine))

        reboots(lab, machine, "auditshift rollback --yes --reboot +1")
        verified(lab, machine, "rolled-back")
        lab.equal(state_of(machine), old, "rolled back: files, rules, lock and provider are as before, to the byte")


def go_there(lab, machine):
    assessed = machine.run("auditshift assess --json", seconds=300)
    lab.equal(json.loads(assessed.out)["verdict"], "ready-after-reboot", "assess: ready after a reboot")
    boot = machine.boot_id()
    ends(lab, machine, "auditshift switch --yes --json --reboot never", 3)
    ends(lab, machine, "auditshift status", 3)
    lab.equal(machine.boot_id(), boot, "without --reboot nothing rebooted")
    lab.equal(machine.run(f"test -e {MARKER}").code, 0, "the boot unit's marker is set")
    # A second switch goes on with the first, and arranges the reboot.
    reboots(lab, machine, "auditshift switch --yes --reboot +1")
    verified(lab, machine, "switched")


def verified(lab, machine, state):
    """The boot unit has done its work."""
    has_ended(lab, machine, state, 0)
    lab.equal(machine.check(f"systemctl show --value -p Result {RESUME}").strip(), "success", "the boot unit succeeded")
