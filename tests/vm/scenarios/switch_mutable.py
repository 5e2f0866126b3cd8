# SPDX-License-Identifier: Apache-2.0
"""The whole switch of a host whose audit is not locked: no reboot at all; and back, to the byte."""

import json

from switching import ends, is_switched, mutable, set_agent, state_of, status_of

QUICK = True


def run(lab):
    with lab.machine(frozen=mutable(lab)) as machine:
        boot = machine.boot_id()
        there_and_back(lab, machine, "rules of the files")
        if not lab.quick:
            rules_of_the_agent(machine)
            there_and_back(lab, machine, "rules of the agent")
        lab.equal(machine.boot_id(), boot, "nothing rebooted")


def rules_of_the_agent(machine):
    """As a real agent of that era does it: its own rules, loaded by itself and taken away by itself."""
    machine.check("auditctl -D; augenrules --load")
    set_agent(machine, loads="yes", cleans="yes")
    machine.check("rm /etc/audit/rules.d/mdatp.rules; augenrules --load; systemctl restart mdatp; sleep 2")


def there_and_back(lab, machine, rules):
    old = state_of(machine)
    lab.that("enabled 1" in old["status"], f"{rules}: audit is not locked", old["status"])
    lab.that("mdatp" in old["rules"] and "mdatp" in old["files"], f"{rules}: Defender's are loaded", old)
    assessed = ends(lab, machine, "auditshift assess --json", 0)
    lab.equal(json.loads(assessed.out)["verdict"], "ready", "assess: ready")
    ends(lab, machine, "auditshift plan", 2)
    # Names without a directory, and a descriptor: the work is done by another process, in a unit.
    command = "cd /root && auditshift plan -o plan.json; auditshift --progress-fd 7 switch --plan plan.json --yes 7>progress"
    ends(lab, machine, f"{command}; exit $?", 0, "a plan of the current directory is carried out")
    steps = [json.loads(line) for line in machine.read("/root/progress").splitlines()]
    told = any("note which audit rules" in step["step"] for step in steps)  # a step of the plan
    lab.that(told, f"{len(steps)} lines of progress came", steps)
    lab.equal(status_of(machine)["state"], "switched", "status: switched")
    is_switched(lab, old, state_of(machine))
    lab.equal(machine.run("test -e /run/systemd/shutdown/scheduled").code, 1, "no reboot is arranged")
    ends(lab, machine, "auditshift verify", 0)
    ends(lab, machine, "auditshift plan", 0, "plan: nothing more to do")
    ends(lab, machine, "auditshift switch --yes", 0, "switch again: nothing to do")
    ends(lab, machine, "auditshift rollback --yes", 0)
    lab.equal(status_of(machine)["state"], "rolled-back", "status: rolled-back")
    lab.equal(state_of(machine), old, f"{rules}: rolled back, to the byte")
