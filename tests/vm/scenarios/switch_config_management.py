# SPDX-License-Identifier: Apache-2.0
"""Configuration management puts Defender's rules back at boot: taken out once more, then a finding that names who did it.

A unit stands for it: it puts back the file as it was before audit is started, so that a locked kernel has the rules too.
"""

from switching import DEFENDER, RESUME, ends, has_ended, is_switched, prepare_locked, settled, state_of, status_of

UNIT = "site-configuration.service"
KEPT = "/root/mdatp.rules"
TEXT = f"""[Unit]
DefaultDependencies=no
After=local-fs.target
Before=auditd.service
[Service]
Type=oneshot
ExecStart=/bin/cp -p {KEPT} {DEFENDER}
[Install]
WantedBy=multi-user.target
"""
# As hardening guides have it: who writes the audit configuration is in the audit log.
WATCH = "-w /etc/audit/rules.d/ -p wa -k auditconfig\n"


def run(lab):
    managed = lab.prepared("locked-managed", prepare)
    with lab.machine(frozen=managed) as machine:
        old = state_of(machine)
        once(lab, machine, old)
        later(lab, machine)
    with lab.machine(frozen=managed) as machine:
        again_and_again(lab, machine, old)


def prepare(lab, machine):
    prepare_locked(lab, machine, more={"60-watch.rules": WATCH})
    machine.check(f"cp -p {DEFENDER} {KEPT}")
    machine.put(f"/etc/systemd/system/{UNIT}", TEXT)
    machine.check(f"systemctl enable {UNIT}")


def once(lab, machine, old):
    ends(lab, machine, "auditshift switch --yes", 3)
    machine.reboot()
    settled(machine)
    status = status_of(machine)
    lab.equal((status["state"], status["rolling_back"]), ("awaiting-reboot", False), "they are back: removed once more")
    lab.equal(machine.run(f"test -e {DEFENDER}").code, 1, "the file is gone again")
    failed = {check["id"]: check["text"] for check in (status["verification"] or {"checks": []})["checks"] if not check["ok"]}
    lab.that(DEFENDER in failed.get("rules-d", ""), "status names the file", status)
    machine.check(f"systemctl disable {UNIT}")
    machine.reboot()
    has_ended(lab, machine, "switched", 0, "taken out of its source, and another reboot")
    is_switched(lab, old, state_of(machine))


def later(lab, machine):
    machine.check(f"systemctl start {UNIT}; sleep 2")
    found = ends(lab, machine, "auditshift verify", 4, "put back long after: verify has exit 4")
    line = next((line for line in found.out.splitlines() if "rules-d:" in line), "")
    lab.that(DEFENDER in line and "/usr/bin/cp (audit log)" in line, f"and names who wrote it: {line}", found)


def again_and_again(lab, machine, old):
    ends(lab, machine, "auditshift switch --yes", 3)
    machine.reboot()
    settled(machine)
    machine.reboot()
    settled(machine)
    status = status_of(machine)
    lab.equal((status["state"], status["rolling_back"]), ("awaiting-reboot", True), "back a second time: rolled back")
    lab.that(DEFENDER in status["message"] or DEFENDER in str(status["verification"]), "with the reason", status)
    machine.reboot()
    has_ended(lab, machine, "rolled-back", 0, "after another reboot")
    lab.equal(without_previous(state_of(machine)), without_previous(old), "the host is as before, to the byte")
    code = machine.check(f"systemctl show -p ExecMainStatus --value {RESUME}").strip()
    lab.equal(code, "5", "the boot unit: exit 5")


def without_previous(state):
    """Without what augenrules keeps of the file before: the host's boot wrote it when the rules were back."""
    files = [line for line in state["files"].splitlines() if not line.endswith("/audit.rules.prev")]
    return state | {"files": files}
