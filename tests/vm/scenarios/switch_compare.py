# SPDX-License-Identifier: Apache-2.0
"""Audit and the sensor side by side, as a step of the switch of a locked host (-e 2): nothing is missed, then the rules go."""

import json

from switching import ends, has_ended, is_switched, locked, reboots, state_of, status_of

WORK = "while :; do echo >/var/tmp/a; mv /var/tmp/a /var/tmp/b; chmod 600 /var/tmp/b; /bin/true; sleep 0.05; done"


def run(lab):
    with lab.machine(frozen=locked(lab)) as machine:
        old = state_of(machine)
        machine.check("systemctl start auditshift-sensord")
        machine.check(f"systemd-run --quiet --unit=work /bin/bash -c '{WORK}'")
        ends(lab, machine, "auditshift switch --yes --json --compare 20", 3)
        machine.check("systemctl stop work")
        found = status_of(machine)["comparison"]
        lab.note(f"comparison: {json.dumps(found)[:600]}")
        lab.that(found is not None, "status says what the comparison found")
        lab.equal((found["outcome"], found["missed"]), ("nothing-lost", 0), "the sensor missed nothing that it covers")
        lab.that(found["events"] > 0, "audit recorded events meanwhile", found)
        reboots(lab, machine, "auditshift switch --yes --reboot +1")
        has_ended(lab, machine, "switched", 0)
        is_switched(lab, old, state_of(machine))
