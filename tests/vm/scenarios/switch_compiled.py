# SPDX-License-Identifier: Apache-2.0
"""Rules in a hand-made /etc/audit/audit.rules that auditctl -R loads, without augenrules: the switch, a boot, and back."""

import json

from switching import RESUME, RULES, ends, install_agent, is_switched, settled, state_of

COMPILED = "/etc/audit/audit.rules"
# As auditd is set up where rules.d is not used.
LOADER = "[Service]\nExecStartPost=\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n"
FOREWORD = "# by hand\n-D\n-b 8192\n-f 1\n"
AFTERWORD = "# and after them\n-w /etc/hostname -p wa -k name\n"


def run(lab):
    with lab.machine() as machine:
        prepare(lab, machine)
        old, text = state_of(machine), machine.read(COMPILED)
        lab.that("mdatp" in old["rules"], "before: the kernel holds Defender's rules", old["rules"])
        assessed = json.loads(machine.run("auditshift assess --json", seconds=300).out)
        lab.equal(assessed["audit"]["loader"], "audit.rules", "assess: auditctl loads one file")
        ends(lab, machine, "auditshift switch --yes", 0)
        is_switched(lab, old, state_of(machine))
        own = "".join(line for line in text.splitlines(True) if not line.rstrip().endswith(("mdatp", "mdatpmbr")))
        lab.equal(machine.read(COMPILED), own, "the file lacks Defender's lines and nothing else")
        machine.reboot()
        settled(machine)
        is_switched(lab, old, state_of(machine), "after a reboot")
        ends(lab, machine, "auditshift verify", 0)
        ends(lab, machine, "auditshift rollback --yes", 0)
        lab.equal(state_of(machine), old, "rolled back, to the byte")
        machine.reboot()
        settled(machine)
        lab.equal(state_of(machine), old, "and so after a reboot")


def prepare(lab, machine):
    rules = (RULES / "50-cis.rules").read_text() + (RULES / "mdatp.rules").read_text()
    machine.check("rm -rf /etc/audit/rules.d; echo 'd /run/faillock 0755 root root' >/etc/tmpfiles.d/faillock.conf")
    machine.put(COMPILED, FOREWORD + rules + AFTERWORD, mode="640")
    machine.put("/etc/systemd/system/auditd.service.d/loader.conf", LOADER)
    install_agent(lab, machine)
    machine.check(f"systemctl enable {RESUME}")
    machine.reboot()
    settled(machine)
