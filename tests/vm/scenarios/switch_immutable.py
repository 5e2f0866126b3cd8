# SPDX-License-Identifier: Apache-2.0
"""The whole switch of a locked host (-e 2): plan, change, a real reboot, the boot unit's verification; and back.

The agent is the stand-in of an auditd-era Defender, the rules are Defender's and a CIS baseline's that locks audit.
"""

import json
import subprocess
import tempfile

from lab import SOURCE

RULES = SOURCE / "tests/fixtures/hosts/rhel-8-immutable-cis/etc/audit/rules.d"
BUILD = "101.24052.0002"
STATE = "/var/opt/microsoft/mdatp/standin/state"
FILES = "/etc/audit /etc/opt/microsoft/mdatp"


def run(lab):
    with lab.machine() as machine:
        prepare(lab, machine)
        old = state_of(machine)
        lab.equal(old["status"], "enabled 2", "before: audit is locked")
        lab.that("mdatp" in old["rules"], "before: the kernel holds Defender's rules")
        lab.equal(old["subsystem"], "auditd", "before: events come from auditd")

        go_there(lab, machine)
        new = state_of(machine)
        lab.equal(new["status"], "enabled 2", "after: audit is locked again")
        lab.that("mdatp" not in new["rules"], "after: none of Defender's rules is in the kernel", new["rules"])
        own = [line for line in old["rules"].splitlines() if "mdatp" not in line]
        lab.equal(new["rules"].splitlines(), own, "after: the user's rules, all and in their order")
        lab.equal(new["subsystem"], "ebpf", "after: events come from ebpf")

        come_back(lab, machine)
        lab.equal(state_of(machine), old, "rolled back: files, rules, lock and provider are as before, to the byte")


def prepare(lab, machine):
    with tempfile.TemporaryDirectory() as directory:
        package = subprocess.run(
            [SOURCE / "tests/standins/mdatp/package.sh", lab.build / "tests/standins/mdatp/mdatp", BUILD, directory],
            check=True, stdout=subprocess.PIPE, text=True,
        ).stdout.strip()  # fmt: skip
        with open(package, "rb") as content:
            machine.put("/root/mdatp.deb", content.read())
    machine.check("rm -f /etc/audit/rules.d/*.rules")
    for file in sorted(RULES.glob("*.rules")):
        machine.put(f"/etc/audit/rules.d/{file.name}", file.read_text(), mode="640")
    # A watch below a directory that is not there would end the load before the line that locks.
    machine.check("echo 'd /run/faillock 0755 root root' >/etc/tmpfiles.d/faillock.conf; mkdir -p /run/faillock")
    machine.check(f"mkdir -p {STATE.rpartition('/')[0]} && printf 'loads=no\\ncleans=no\\n' >{STATE}")
    machine.check("dpkg -i /root/mdatp.deb", seconds=300)
    machine.check("systemctl enable auditshift-resume.service; augenrules")
    machine.reboot()


def state_of(machine):
    """All that a switch may change."""
    return {
        "status": machine.check("auditctl -s | head -n 1").strip(),
        "rules": machine.check("auditctl -l"),
        "files": machine.check(f"find {FILES} -printf '%p %m %u %g\\n' -type f -exec sha256sum {{}} + 2>/dev/null | sort"),
        "subsystem": machine.check("mdatp health --field supplementary_events_subsystem").split('"')[1],
    }


def go_there(lab, machine):
    assessed = machine.run("auditshift assess --json", seconds=300)
    lab.equal(json.loads(assessed.out)["verdict"], "ready-after-reboot", "assess: ready after a reboot")
    boot = machine.boot_id()
    switched = machine.run("auditshift switch --yes --json --reboot never", seconds=600)
    lab.equal(switched.code, 3, "switch: exit 3, a reboot is needed")
    if switched.code != 3:
        lab.note(str(switched))
    lab.equal(machine.run("auditshift status").code, 3, "status: exit 3")
    lab.equal(machine.boot_id(), boot, "without --reboot nothing rebooted")
    lab.equal(machine.run("test -e /var/lib/auditshift/resume-at-boot").code, 0, "the boot unit's marker is set")
    # A second switch goes on with the first, and arranges the reboot.
    reboots(lab, machine, "auditshift switch --yes --reboot +1")
    verified(lab, machine, "switched", 0)


def come_back(lab, machine):
    reboots(lab, machine, "auditshift rollback --yes --reboot +1")
    verified(lab, machine, "rolled-back", 0)


def reboots(lab, machine, command):
    """Runs a command that has the machine rebooted a minute later, and waits for that."""
    before = machine.boot_id()
    result = machine.run(command, seconds=600)
    if not lab.equal(result.code, 3, f"{command}: exit 3"):
        lab.note(str(result))
    machine.wait_reboot(before, seconds=600)


def verified(lab, machine, state, code):
    """The boot unit has done its work."""
    machine.run("systemctl is-active --wait auditshift-resume.service; systemctl is-system-running --wait", seconds=600)
    status = machine.run("auditshift status --json", seconds=120)
    found = json.loads(status.out)["state"] if status.out.startswith("{") else str(status)
    if not lab.equal(found, state, f"after the boot: {state}"):
        lab.note(machine.run("journalctl -b -u auditshift-resume -o cat --no-pager").out)
    lab.equal(status.code, code, f"status: exit {code}")
    lab.equal(machine.run("test -e /var/lib/auditshift/resume-at-boot").code, 1, "the marker is gone")
    lab.equal(machine.check("systemctl show --value -p Result auditshift-resume").strip(), "success", "the boot unit succeeded")
