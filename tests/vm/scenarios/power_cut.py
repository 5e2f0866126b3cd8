# SPDX-License-Identifier: Apache-2.0
"""A power cut while the sensor writes: the stream lacks no event older than a few seconds, and goes on after the boot."""

import json
import re
import time

from scenarios.sensord_systemd import EVENTS, NUMBERS, UNIT, start_workload

# The sensor forces its file to the disk every second (--fsync second); on an emulated machine give it some more.
AGE_SECONDS = 5


def run(lab):
    with lab.machine() as machine:
        machine.check(f"systemctl daemon-reload && systemctl enable --now {UNIT}")
        start_workload(machine)
        time.sleep(10)
        made = {int(name) for name in machine.check(f"ls {NUMBERS}").split()}
        before = machine.boot_id()
        time.sleep(AGE_SECONDS)
        machine.power_cut()
        machine.start()
        lab.that(machine.boot_id() != before, "the machine boots again")
        active = machine.wait_until(f"systemctl is-active {UNIT}")
        lab.that(active, "the sensor runs again", machine.run(f"systemctl status {UNIT}"))
        machine.check("touch /var/tmp/after-the-cut && sleep 3")
        lines = machine.get(EVENTS).split(b"\n")
        whole = [line for line in lines if parses(line)]
        broken = [line[:200] for line in lines if line and not parses(line)]
        lab.that(not broken, f"each of the {len(whole)} lines is a record", broken[:5])
        seen = {int(n) for n in re.findall(f'"path":"{NUMBERS}/(\\d+)"'.encode(), b"\n".join(whole))}
        missing = sorted(made - seen)
        told = f"all {len(made)} files made more than {AGE_SECONDS} s before are in the stream"
        lab.that(made and not missing, told, missing[:50])
        lab.that(any(b"after-the-cut" in line for line in whole), "what happened after the boot is, too")
        boots = {json.loads(line)["host"]["boot"]["id"] for line in whole}
        lab.equal(len(boots), 2, "the records tell the two boots apart")


def parses(line):
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
