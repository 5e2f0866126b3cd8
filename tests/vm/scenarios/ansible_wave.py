# SPDX-License-Identifier: Apache-2.0
"""The Ansible collection on two locked hosts that really reboot: waves, a second run, and one of them back.

The hosts are as those of switch-immutable; Ansible logs in over ssh as a user who becomes root by sudo.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

from lab import SOURCE

RULES = SOURCE / "tests/fixtures/hosts/rhel-8-immutable-cis/etc/audit/rules.d"
STATE = "/var/opt/microsoft/mdatp/standin/state"
FILES = "/etc/audit /etc/opt/microsoft/mdatp"
USER = "deploy"

LONG = True


def run(lab):
    with tempfile.TemporaryDirectory(prefix="ansible-wave-") as directory, contextlib.ExitStack() as machines:
        controller = Controller(lab, pathlib.Path(directory))
        fleet = {}
        for name in ("canary", "second"):
            port = free_port()
            fleet[name] = machines.enter_context(lab.machine(root="managed", memory=896, ssh_port=port))
            install(lab, fleet[name])
            lock(fleet[name])
            controller.manage(name, fleet[name], port)
        old = {name: state_of(machine) for name, machine in fleet.items()}
        boots = {name: machine.boot_id() for name, machine in fleet.items()}
        for name, state in old.items():
            lab.equal(state["status"], "enabled 2", f"before: audit is locked on {name}")

        switched = controller.play("switch", "-e", "switch_reboot_ok=true", "-e", '{"auditshift_waves": [1, 1]}')
        lab.equal(switched.code, 0, "switch in two waves")
        for name, machine in fleet.items():
            lab.that(machine.boot_id() != boots[name], f"{name} has rebooted")
            lab.equal(controller.result(name)["state"], "switched", f"{name} is switched, says its report")
            lab.that(controller.result(name)["verified"], f"{name} is verified, says its report")
            now = state_of(machine)
            lab.equal((now["status"], now["subsystem"]), ("enabled 2", "ebpf"), f"{name}: locked again, events from ebpf")
            lab.that("mdatp" not in now["rules"], f"{name}: none of Defender's rules is in the kernel", now["rules"])

        boots = {name: machine.boot_id() for name, machine in fleet.items()}
        again = controller.play("switch", "-e", "switch_reboot_ok=true")
        lab.equal((again.code, again.changed), (0, {"canary": 0, "second": 0}), "a second run changes nothing")

        back = controller.play("rollback", "--limit", "canary", "-e", "rollback_reboot_ok=true")
        lab.equal(back.code, 0, "roll the canary back")
        lab.that(fleet["canary"].boot_id() != boots["canary"], "the canary has rebooted")
        lab.equal(fleet["second"].boot_id(), boots["second"], "the second has not")
        lab.equal(controller.result("canary")["state"], "rolled-back", "the canary is rolled back, says its report")
        lab.equal(state_of(fleet["canary"]), old["canary"], "files, rules, lock and provider of the canary are as before, to the byte")


def install(lab, machine):
    """The stand-in of an auditd-era agent, its rules, and a CIS baseline's that lock audit."""
    machine.check("rm -f /etc/audit/rules.d/*.rules")
    for file in sorted(RULES.glob("*.rules")):
        machine.put(f"/etc/audit/rules.d/{file.name}", file.read_text(), mode="640")
    # A watch below a directory that is not there would end the load before the line that locks.
    machine.check("echo 'd /run/faillock 0755 root root' >/etc/tmpfiles.d/faillock.conf; mkdir -p /run/faillock")
    with tempfile.TemporaryDirectory() as directory:
        program = lab.build / "tests/standins/mdatp/mdatp"
        package = subprocess.run(
            [SOURCE / "tests/standins/mdatp/package.sh", program, "101.24052.0002", directory], check=True, stdout=subprocess.PIPE, text=True
        )
        machine.put("/root/mdatp.deb", pathlib.Path(package.stdout.strip()).read_bytes())
    machine.check(f"mkdir -p {STATE.rpartition('/')[0]} && printf 'loads=no\\ncleans=no\\n' >{STATE}")
    machine.check("dpkg -i /root/mdatp.deb && systemctl enable auditshift-resume.service", seconds=300)


def state_of(machine):
    """All that a switch may change."""
    return {
        "status": machine.check("auditctl -s | head -n 1").strip(),
        "rules": machine.check("auditctl -l"),
        "files": machine.check(f"find {FILES} -printf '%p %m %u %g\\n' -type f -exec sha256sum {{}} + 2>/dev/null | sort"),
        "subsystem": machine.check("mdatp health --field supplementary_events_subsystem").split('"')[1],
    }


def lock(machine):
    """What the boot of such a host does, without one: each boot is minutes here."""
    machine.wait_until("grep -q audisp /etc/audit/rules.d/mdatp.rules")  # the agent has begun
    machine.check("augenrules --load || true")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Played:
    def __init__(self, code, output):
        self.code, self.output = code, output
        self.changed = {name: int(number) for name, number in re.findall(r"^(\w+) +: ok=.*?changed=(\d+)", output, re.M)}


class Controller:
    """Where Ansible runs: this machine."""

    def __init__(self, lab, directory):
        self._lab, self._directory = lab, directory
        place = directory / "ansible_collections/auditshift"
        place.mkdir(parents=True)
        (place / "fleet").symlink_to(SOURCE / "ansible")
        for name in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
        (directory / "inventory").write_text("")
        (directory / "ansible.cfg").write_text(f"""\
[defaults]
inventory = {directory}/inventory
collections_path = {directory}
remote_user = {USER}
private_key_file = {directory}/key
local_tmp = {directory}/tmp
timeout = 60
[ssh_connection]
pipelining = true
control_path_dir = {directory}/cp
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={directory}/known_hosts -o ServerAliveInterval=60 -o ServerAliveCountMax=10
""")

    def manage(self, name, machine, port):
        """Lets Ansible in."""
        machine.put("/etc/systemd/network/eth0.network", "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\n")
        machine.check("systemctl enable --now systemd-networkd", seconds=300)
        machine.put("/etc/ssh/ssh_host_ed25519_key", (self._directory / "host_key").read_text(), mode="600")
        machine.check(f"hostnamectl hostname {name} && useradd --create-home --shell /bin/bash {USER}")
        machine.put(f"/home/{USER}/.ssh/authorized_keys", (self._directory / "key.pub").read_text())
        machine.put(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", mode="440")
        machine.check(f"chown -R {USER}: /home/{USER}/.ssh && systemctl enable ssh && systemctl restart ssh", seconds=300)
        public = (self._directory / "host_key.pub").read_text()
        with open(self._directory / "known_hosts", "a", encoding="utf-8") as hosts:
            hosts.write(f"[127.0.0.1]:{port} {public}")
        with open(self._directory / "inventory", "a", encoding="utf-8") as inventory:
            inventory.write(f"{name} ansible_host=127.0.0.1 ansible_port={port} ansible_python_interpreter=/usr/bin/python3\n")

    def play(self, playbook, *arguments):
        environment = {**os.environ, "ANSIBLE_CONFIG": str(self._directory / "ansible.cfg"), "PWD": str(self._directory),
                       "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}  # fmt: skip
        done = subprocess.run(
            ["ansible-playbook", f"auditshift.fleet.{playbook}", "-e", "verify_soak_seconds=5", "-e", "auditshift_wait=900", *arguments],
            cwd=self._directory, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            self._lab.note(done.stdout)
        return Played(done.returncode, done.stdout)

    def result(self, name):
        file = self._directory / "auditshift-reports/results" / f"{name}.json"
        document = json.loads(file.read_text()) if file.exists() else {}
        return {"state": (document.get("status") or {}).get("state"), "verified": (document.get("verification") or {}).get("ok")}
