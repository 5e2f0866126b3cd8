# SPDX-License-Identifier: Apache-2.0
"""A fleet of simulated hosts on this machine, and an Ansible controller for it. Run by run.sh."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

FLEET = pathlib.Path(os.environ["FLEET"])
SOURCE = pathlib.Path(os.environ["FLEET_SOURCE"])
BUILD = pathlib.Path(os.environ["FLEET_BUILD"])
TOOLS = pathlib.Path(os.environ["FLEET_TOOLS"])
HERE = SOURCE / "tests/fleet"
USER = "deploy"  # logs in on every host; becomes root by sudo where a task asks for it
REBOOTS = 42  # exit code of host.sh

#: As the stand-in for Defender writes them (tests/standins/mdatp/rules.cpp).
DEFENDER_RULES = """\
## Auditd rules for MDATP (EDR) audisp sensor
-a always,exit -F arch=b64 -S socket,connect,bind,accept,accept4,setsockopt -k mdatp
-a always,exit -F arch=b64 -S rename,renameat,renameat2,rmdir,unlink,unlinkat,ptrace -k mdatp
-a always,exit -F arch=b64 -S chown,fchown,fchownat,chmod,fchmod,fchmodat -k mdatp
-a always,exit -F arch=b64 -S bpf -k mdatpmbr
"""
OWN_RULES = "-a always,exit -F arch=b64 -S adjtimex -F auid=4242003 -k time-change\n"
LOCK = "-e 2\n"


def run(*argv, **options):
    return subprocess.run([str(word) for word in argv], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def set_up_tools():
    """What every host has over this machine's own programs, and the controller's keys and collection."""
    usr = FLEET / "tools/usr"
    shutil.copytree(TOOLS / "usr", usr, symlinks=True)
    run("cp", "-a", f"{TOOLS}/usr/.", usr)  # with the mode of sudo
    shutil.copy(BUILD / "cli/auditshift", usr / "bin/auditshift")
    shutil.copy(BUILD / "tests/standins/mdatp/mdatp", usr / "bin/mdatp")
    shutil.copy(BUILD / "tests/fleet/libhost_audit.so", usr / "lib/libhost_audit.so")
    controller = FLEET / "controller"
    for directory in ("home", "cp", "hosts"):
        (controller / directory).mkdir(parents=True)
    (controller / "remote").mkdir()
    (controller / "remote").chmod(0o1777)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", controller / "key")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", controller / "host_key")
    (controller / "ansible.cfg").write_text(f"""\
[defaults]
inventory = {controller}/inventory
collections_path = {controller}/collections
remote_user = {USER}
remote_tmp = {controller}/remote
local_tmp = {controller}/local
private_key_file = {controller}/key
host_key_checking = true
forks = 8
retry_files_enabled = false
nocows = true
localhost_warning = false
[privilege_escalation]
become_method = sudo
[ssh_connection]
pipelining = true
control_path_dir = {controller}/cp
ssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={controller}/known_hosts -o ConnectTimeout=5
""")
    archive = re.search(r"at (\S+\.tar\.gz)", galaxy("collection", "build", SOURCE / "ansible", "--output-path", controller))
    galaxy("collection", "install", "--offline", "-p", controller / "collections", archive.group(1))


def environment():
    controller = FLEET / "controller"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return {
        **kept,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(controller / "home"),
        "PWD": str(controller),
        "ANSIBLE_CONFIG": str(controller / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def galaxy(*arguments):
    return run("ansible-galaxy", *arguments, env=environment(), cwd=FLEET / "controller")


class Host:
    """One simulated host: its disk below $FLEET/hosts, and, while it is on, the processes of host.sh."""

    def __init__(self, name, number):
        self.name = name
        self.address = f"127.0.1.{number}"
        self.disk = FLEET / "hosts" / name
        self.process = None
        self.boots = 0

    # -- its disk --------------------------------------------------------------------------------------------------

    def file(self, path):
        """A file of the host's, /etc/… or /var/… or /opt/…, where this process finds it."""
        top, _, rest = path.lstrip("/").partition("/")
        return self.disk / top / rest if top == "var" else self.disk / top / "upper" / rest

    def write(self, path, content, mode=0o644):
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def own(self, path):
        """A directory that shows nothing of this machine's."""
        directory = self.file(path)
        directory.mkdir(parents=True, exist_ok=True)
        if not path.startswith("/var/"):
            os.setxattr(directory, "trusted.overlay.opaque", b"y")

    def install(self, locked=False, agent=""):
        for path in ("/etc/audit", "/etc/auditshift", "/etc/opt/microsoft", "/etc/ansible", "/var/lib/auditshift", "/var/opt/microsoft"):
            self.own(path)
        self.file("/var/lib/auditshift").chmod(0o700)
        passwd = pathlib.Path("/etc/passwd").read_text() + "sshd:x:4200:65534::/run/sshd:/usr/sbin/nologin\n"
        self.write("/etc/passwd", passwd + f"{USER}:x:4201:4201::/home/{USER}:/bin/bash\n")
        self.write("/etc/group", pathlib.Path("/etc/group").read_text() + f"{USER}:x:4201:\n")
        self.write("/etc/shadow", pathlib.Path("/etc/shadow").read_text() + f"{USER}:*:19000:0:99999:7:::\n", 0o640)
        self.write("/etc/sudoers", f'Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\n{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n', 0o440)
        self.write("/etc/pam.d/sudo", "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\nsession optional pam_permit.so\n")
        self.write("/etc/ld.so.preload", "/usr/lib/libhost_audit.so\n")
        self.write("/etc/machine-id", hashlib.md5(self.name.encode()).hexdigest() + "\n", 0o444)
        key = (FLEET / "controller/host_key").read_text()
        self.write("/etc/ssh/host_key", key, 0o600)
        self.write("/etc/ssh/sshd_config", """\
HostKey /etc/ssh/host_key
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
Subsystem sftp /usr/lib/openssh/sftp-server
""")
        ssh = self.disk / "home" / USER / ".ssh"
        ssh.mkdir(parents=True)
        (ssh / "authorized_keys").write_text((FLEET / "controller/key.pub").read_text())
        run("chown", "-R", "4201:4201", ssh.parent)
        self.write("/etc/audit/rules.d/20-own.rules", OWN_RULES, 0o640)
        self.write("/etc/audit/rules.d/mdatp.rules", DEFENDER_RULES, 0o600)
        self.write("/etc/audit/rules.d/99-final.rules", LOCK if locked else "", 0o640)
        self.write("/etc/audit/audit.rules", "")
        self.enable_agent()
        self.agent(f"loads=no\ncleans=no\n{agent}")

    def enable_agent(self):
        self.write("/etc/systemd/system/mdatp.service", "[Service]\nExecStart=/usr/bin/mdatp --daemon\n[Install]\nWantedBy=multi-user.target\n")
        wants = self.file("/etc/systemd/system/multi-user.target.wants")
        wants.mkdir(parents=True)
        (wants / "mdatp.service").symlink_to("/etc/systemd/system/mdatp.service")

    def agent(self, state):
        """The state of the stand-in for Defender (tests/standins/mdatp)."""
        self.write("/var/opt/microsoft/mdatp/standin/state", state)

    def snapshot(self):
        """All that a switch may change, and what it leaves behind: names, modes, owners, contents."""
        script = """
            for place in /etc/audit /etc/opt/microsoft /etc/auditshift /etc/ansible /var/lib/auditshift /var/opt/microsoft; do
              find $place -printf '%p %y %m %u %g\\n'; find $place -type f ! -path '*/standin/*' -exec sha256sum {} +; done | sort
            grep -v ^events= /var/opt/microsoft/mdatp/standin/state | sort # the stand-in's own counter
            auditctl -s | grep enabled; auditctl -l; cat /proc/sys/kernel/random/boot_id"""
        return self.inside(script)

    # -- its power -------------------------------------------------------------------------------------------------

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()
        wait_for(self.answers, f"{self.name} to answer")

    def _run(self):
        code = REBOOTS
        while code == REBOOTS:
            self.boots += 1
            with open(self.disk / "console.log", "a") as log:
                self.process = subprocess.Popen(
                    ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", HERE / "host.sh", self.name, self.address],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            code = self.process.wait()
        self.process = None

    def power_cut(self):
        """All its processes are gone at once."""
        process = self.process
        os.killpg(process.pid, signal.SIGKILL)
        wait_for(lambda: self.process is None, f"{self.name} to be off")

    def answers(self):
        return self.ssh("true").returncode == 0

    def first_process(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0]

    def ssh(self, command):
        controller = FLEET / "controller"
        return subprocess.run(
            ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", f"UserKnownHostsFile={controller}/known_hosts",
             "-i", controller / "key", f"{USER}@{self.address}", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    def inside(self, script):
        """Runs a script as root on the host."""
        return run("nsenter", "--target", self.first_process(), "--mount", "--uts", "--pid", "--", "/bin/sh", "-c", script)

    def boot_id(self):
        return self.inside("cat /proc/sys/kernel/random/boot_id").strip()

    def status(self):
        return json.loads(self.inside("auditshift -q status --json || true"))


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} seconds for {what}")
        time.sleep(0.1)


class Played:
    """How a playbook ended."""

    def __init__(self, code, output):
        self.code = code
        self.output = output

    def count(self, host, what):
        """The number behind ok, changed, unreachable or failed in the recap; None when the host is not in it."""
        found = re.search(rf"^{re.escape(host.name)} +: .*\b{what}=(\d+)", self.output, re.M)
        return int(found.group(1)) if found else None

    def __str__(self):
        return f"exit code {self.code}\n{self.output}"


class FleetTest(unittest.TestCase):
    """A test with hosts of its own. Names begin with the letters they are sorted by in the inventory."""

    maxDiff = None
    longMessage = True

    def setUp(self):
        if not (FLEET / "tools").exists():
            set_up_tools()
        self.hosts = []
        self.reports = FLEET / "controller" / "auditshift-reports"

    def tearDown(self):
        for host in self.hosts:
            if host.process is not None:
                host.power_cut()
            shutil.rmtree(host.disk, ignore_errors=True)
        shutil.rmtree(self.reports, ignore_errors=True)
        for socket in (FLEET / "controller/cp").iterdir():
            socket.unlink()

    def fleet(self, *names, **options):
        """Hosts by these names, on: locked=["b"], agent={"c": "refuses=yes\\n"}, groups={"web": ["b"]}, settings=["name=value"]."""
        for name in names:
            host = Host(name, len(self.hosts) + 1)
            host.install(locked=name in options.get("locked", []), agent=options.get("agent", {}).get(name, ""))
            self.hosts.append(host)
        controller = FLEET / "controller"
        public = (controller / "host_key.pub").read_text()
        (controller / "known_hosts").write_text("".join(f"{host.address} {public}" for host in self.hosts))
        lines = [f"{host.name} ansible_host={host.address}\n" for host in self.hosts]
        for group, members in options.get("groups", {}).items():
            lines += [f"[{group}]\n", *(f"{member}\n" for member in members)]
        settings = ["ansible_python_interpreter=/usr/bin/python3", "switch_reboot_command=/run/reboot", "rollback_reboot_command=/run/reboot"]
        settings += options.get("settings", [])
        (controller / "inventory").write_text("[linux]\n" + "".join(lines) + "[linux:vars]\n" + "\n".join(settings) + "\n")
        for host in self.hosts:
            host.start()
            host.inside("mkdir -p /etc/audit/rules.d; augenrules >/dev/null; auditctl -R /etc/audit/audit.rules >/dev/null 2>&1 || true")
        return self.hosts

    def start_play(self, playbook, *arguments, **variables):
        variables = {"verify_soak_seconds": 0, "verify_patience": 10, **variables}
        with open(FLEET / "controller/output", "w") as output:
            return subprocess.Popen(
                ["ansible-playbook", playbook if playbook.endswith(".yml") else f"auditshift.fleet.{playbook}", "-e", json.dumps(variables), *arguments],
                cwd=FLEET / "controller", env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def output(self):
        """What the playbook has said so far."""
        return (FLEET / "controller/output").read_text()

    def end_play(self, process):
        process.wait()
        return Played(process.returncode, self.output())

    def play(self, playbook, *arguments, **variables):
        return self.end_play(self.start_play(playbook, *arguments, **variables))

    def plays(self, playbook, *arguments, **variables):
        """One that must end well."""
        played = self.play(playbook, *arguments, **variables)
        self.assertEqual(played.code, 0, played)
        return played

    def result(self, host):
        """What the report role brought home."""
        return json.loads((self.reports / "results" / f"{host.name}.json").read_text())

    def assert_changed_nothing(self, played, hosts):
        for host in hosts:
            self.assertEqual(played.count(host, "changed"), 0, f"{host.name} changed\n{played}")
