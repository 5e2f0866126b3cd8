# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of the switch share: hosts to be switched, what a switch may change, how it ended.

The agent is the stand-in of an auditd-era Defender, the rules are Defender's and a CIS baseline's.
"""

import json
import subprocess
import tempfile

from lab import SOURCE, USER_SPACE

RULES = SOURCE / "tests/fixtures/hosts/rhel-8-immutable-cis/etc/audit/rules.d"
LOCK = "99-finalize.rules"  # its last line is -e 2
DEFENDER = "/etc/audit/rules.d/mdatp.rules"
BUILD = "101.24052.0002"
STATE = "/var/opt/microsoft/mdatp/standin/state"
FILES = "/etc/audit /etc/opt/microsoft/mdatp"
MARKER = "/var/lib/auditshift/resume-at-boot"
RESUME = "auditshift-resume.service"


def package(lab, build, directory):
    """The stand-in as a Debian package of that build; its path."""
    program = lab.build / "tests/standins/mdatp/mdatp"
    made = subprocess.run(
        [SOURCE / "tests/standins/mdatp/package.sh", program, build, directory],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return made.stdout.strip()


def install_agent(lab, machine, build=BUILD, **settings):
    """`settings`: of the stand-in, beside those under which it leaves the rules to the files."""
    with tempfile.TemporaryDirectory() as directory:
        with open(package(lab, build, directory), "rb") as content:
            machine.put("/root/mdatp.deb", content.read())
    set_agent(machine, **{"loads": "no", "cleans": "no"} | settings)
    machine.check("dpkg -i /root/mdatp.deb", seconds=300)


def set_agent(machine, **settings):
    """Changes the stand-in's behaviour (tests/standins/mdatp/README.md)."""
    machine.check(f"mkdir -p {STATE.rpartition('/')[0]} && touch {STATE}")
    for name, value in settings.items():
        machine.check(f"sed -i '/^{name}=/d' {STATE} && echo '{name}={value}' >>{STATE}")


def put_rules(machine, locked, more=()):
    """`more`: further files, name → text; their names are before that of the line that locks."""
    machine.check("rm -f /etc/audit/rules.d/*.rules")
    for file in sorted(RULES.glob("*.rules")):
        if locked or file.name != LOCK:
            machine.put(f"/etc/audit/rules.d/{file.name}", file.read_text(), mode="640")
    for name, text in dict(more).items():
        machine.put(f"/etc/audit/rules.d/{name}", text, mode="640")
    # A watch below a directory that is not there would end the load before the line that locks.
    machine.check("echo 'd /run/faillock 0755 root root' >/etc/tmpfiles.d/faillock.conf; mkdir -p /run/faillock")


def prepare_mutable(lab, machine):
    put_rules(machine, locked=False)
    install_agent(lab, machine)
    machine.check(f"systemctl enable {RESUME}; augenrules --load")


def prepare_locked(lab, machine, more=()):
    put_rules(machine, True, more)
    install_agent(lab, machine)
    machine.check(f"systemctl enable {RESUME}; augenrules")
    machine.reboot()
    settled(machine)


def mutable(lab, suite=USER_SPACE):
    """A host whose audit is not locked, for lab.machine(frozen=…)."""
    return lab.prepared(f"mutable-{suite}", prepare_mutable, kernel=suite, suite=suite)


def locked(lab, suite=USER_SPACE):
    """The same with -e 2, booted."""
    return lab.prepared(f"locked-{suite}", prepare_locked, kernel=suite, suite=suite)


def state_of(machine):
    """All that a switch may change, but for times."""
    files = f"find {FILES} -printf '%p %m %u %g %l\\n' -type f -exec sha256sum {{}} + 2>/dev/null | sort"
    return {
        "status": machine.check("auditctl -s | grep -E '^(enabled|failure|rate_limit|backlog_limit) '"),
        "rules": machine.check("auditctl -l"),
        "files": machine.check(f"{files}; getfattr -R -d -m - {FILES} 2>/dev/null || true"),
        "subsystem": machine.check("mdatp health --field supplementary_events_subsystem").split('"')[1],
        "service": machine.run("systemctl is-enabled mdatp").out.strip(),
    }


def not_switched(old, new):
    """What of the host `old` is not as it must be after the switch."""
    problems = [f"{what} is not as before: {new[what]}" for what in ("status", "service") if new[what] != old[what]]
    own = [line for line in old["rules"].splitlines() if "mdatp" not in line]
    if new["rules"].splitlines() != own:
        problems.append(f"the kernel's rules are not the user's, all and in their order: {new['rules']}")
    if DEFENDER in new["files"]:
        problems.append(f"Defender's file is there: {new['files']}")
    if new["subsystem"] != "ebpf":
        problems.append(f"events come from {new['subsystem']}")
    return problems


def is_switched(lab, old, new, when="after"):
    problems = not_switched(old, new)
    lab.that(not problems, f"{when}: on ebpf, Defender's rules gone, the user's rules and the lock as before", problems)


def ends(lab, machine, command, code, what=None, seconds=600):
    """The command ends with that exit code; its Result."""
    result = machine.run(command, seconds=seconds)
    lab.that(result.code == code, what or f"{command}: exit {code}", result)
    return result


def status_of(machine):
    """`auditshift status --json`, with the exit code as "exit"."""
    result = machine.run("auditshift status --json")
    return (json.loads(result.out) if result.out.startswith("{") else {"state": str(result)}) | {"exit": result.code}


def reboots(lab, machine, command):
    """Runs a command that has the machine rebooted a minute later, and waits for that."""
    before = machine.boot_id()
    ends(lab, machine, command, 3)
    machine.wait_reboot(before, seconds=600)


def settled(machine):
    """Waits until the boot is over, the boot unit's work included."""
    machine.run(f"systemctl is-active --wait {RESUME}; systemctl is-system-running --wait", seconds=600)


def has_ended(lab, machine, state, code, when="after the boot"):
    """The boot unit has done its work and came to that state."""
    settled(machine)
    status = status_of(machine)
    if not lab.equal(status["state"], state, f"{when}: {state}"):
        lab.note(resume_log(machine))
    lab.equal(status["exit"], code, f"{when}: status has exit {code}")
    lab.equal(machine.run(f"test -e {MARKER}").code, 1, f"{when}: the boot unit's marker is gone")
    return status


def resume_log(machine):
    return machine.run(f"journalctl -b -u {RESUME} -o cat --no-pager").out
