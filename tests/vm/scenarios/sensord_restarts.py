# SPDX-License-Identifier: Apache-2.0
"""The sensor killed at random under load, fifty times: no gap in numbered events."""

from scenarios.sensord_systemd import UNIT, no_number_is_missing, show, start_workload

RESTARTS = 50
# Two processes that start others as fast as they can, beside the numbered files.
LOAD = "while :; do /bin/true; done"
# At once, and as often as wanted.
DROP_IN = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=100ms\n"
# Kills it after a random time between 0 and 2 seconds in which it runs; ends when it was started anew so often.
KILLER = f"""#!/bin/bash
for ((n = 0; n < {RESTARTS}; n++)); do
  sleep "$((RANDOM % 2)).$((RANDOM % 10))"
  pid=$(systemctl show --value -p MainPID {UNIT})
  kill -KILL "$pid"
  until now=$(systemctl show --value -p MainPID {UNIT}); [[ $now != 0 && $now != "$pid" ]]; do sleep 0.1; done
done
"""


def run(lab):
    with lab.machine(cores=2) as machine:
        machine.put(f"/etc/systemd/system/{UNIT}.service.d/often.conf", DROP_IN)
        machine.check(f"systemctl daemon-reload && systemctl enable --now {UNIT}")
        start_workload(machine)
        machine.put("/usr/local/bin/killer", KILLER, mode="755")
        for number in (1, 2):
            machine.check(f"systemd-run --quiet --unit=load-{number} /bin/bash -c '{LOAD}'")
        lab.succeeds(machine, "/usr/local/bin/killer", f"killed {RESTARTS} times", seconds=1500)
        machine.check("systemctl stop load-1 load-2")
        lab.that(machine.wait_until(f"systemctl is-active {UNIT}"), "it runs in the end")
        lab.equal(show(machine, "NRestarts"), str(RESTARTS), f"it was started {RESTARTS} times more")
        no_number_is_missing(lab, machine)
