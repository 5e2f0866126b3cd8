# SPDX-License-Identifier: Apache-2.0
"""When a reboot happens and when not: never, an inhibitor, a window on a moved clock, a blocker right before it."""

import datetime

from switching import MARKER, ends, has_ended, is_switched, locked, state_of, status_of

WINDOW = "Sat 02:00-04:00"
# A weekend of the past: the reboot sets the clock right, and must not set it back.
TODAY = datetime.date.today()
SATURDAY = TODAY - datetime.timedelta(days=7 + (TODAY.weekday() - 5) % 7)
FRIDAY = SATURDAY - datetime.timedelta(days=1)


def run(lab):
    with lab.machine(frozen=locked(lab)) as machine:
        old = state_of(machine)
        boot = machine.boot_id()
        never(lab, machine)
        inhibited(lab, machine)
        window(lab, machine)
        blocked(lab, machine)
        taken_back(lab, machine, old)
        lab.equal(machine.boot_id(), boot, "no reboot up to here")
        in_the_window(lab, machine, boot)
        is_switched(lab, old, state_of(machine))


def clock(machine, text):
    machine.check(f"date -s '{text}'")


def scheduled(machine):
    """What logind will do, and when: ("reboot", "Sat 02:00:00")."""
    said = machine.check(
        "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ScheduledShutdown"
    )
    _, kind, microseconds = said.split()
    if kind == '""':
        return None
    return kind.strip('"'), machine.check(f"date -d @{int(microseconds) // 1000000} '+%a %H:%M:%S'").strip()


def never(lab, machine):
    ends(lab, machine, "auditshift switch --yes --reboot never", 3)
    lab.equal(scheduled(machine), None, "never: no reboot is arranged")
    lab.equal(machine.run(f"test -e {MARKER}").code, 0, "never: whichever reboot comes, the boot unit goes on")
    status = status_of(machine)
    lab.equal((status["state"], status["exit"]), ("awaiting-reboot", 3), "never: status waits, exit 3")


def inhibited(lab, machine):
    hold = "systemd-inhibit --what=shutdown --mode=block --who=backup --why='tape is running' sleep 3600"
    machine.check(f"systemd-run --quiet --unit=hold {hold}; sleep 2")
    result = ends(lab, machine, "auditshift switch --yes --reboot now", 3, "an inhibitor, --reboot now: exit 3")
    lab.that("backup" in result.err and "tape is running" in result.err, "told who blocks it, and why", result)
    lab.equal(scheduled(machine), None, "no reboot is arranged")
    machine.check("systemctl stop hold")


def window(lab, machine):
    clock(machine, f"{FRIDAY} 12:00:00")
    ends(lab, machine, f"auditshift switch --yes --reboot '{WINDOW}'", 3)
    lab.equal(scheduled(machine), ("reboot", "Sat 02:00:00"), "a window: the reboot is at its beginning")
    lab.that(status_of(machine)["reboot"] is not None, "status says when")


def blocked(lab, machine):
    clock(machine, f"{SATURDAY} 01:58:45")
    lab.that(scheduled(machine) is not None, "15 seconds before the guard looks the reboot is still arranged")
    # Known of some builds: after the reboot nothing would watch the host.
    machine.check("systemctl disable mdatp")
    taken_back = machine.wait_until("! test -e /run/systemd/shutdown/scheduled", 120)
    said = machine.run("journalctl -b -u auditshift-reboot-guard -o cat --no-pager").out
    lab.that(taken_back, "a blocker right before it: the reboot is taken back", said)
    lab.that("mdatp.service does not start at boot" in said, "the guard says why", said)
    clock(machine, f"{SATURDAY} 02:00:30")
    machine.check("sleep 5")
    status = status_of(machine)
    lab.equal((status["state"], status["exit"]), ("awaiting-reboot", 3), "status still waits, exit 3")
    machine.check("systemctl enable mdatp")


def taken_back(lab, machine, old):
    clock(machine, f"{FRIDAY} 12:00:00")
    ends(lab, machine, f"auditshift switch --yes --reboot '{WINDOW}'", 3)
    lab.equal(scheduled(machine), ("reboot", "Sat 02:00:00"), "before a rollback: the reboot is arranged")
    ends(lab, machine, "auditshift rollback --yes", 0)
    lab.equal(scheduled(machine), None, "a rollback takes its reboot back")
    guard = machine.run("systemctl is-active auditshift-reboot-guard.timer").out.strip()
    lab.equal(guard, "inactive", "and its guard")
    lab.equal(state_of(machine), old, "rolled back, to the byte")
    ends(lab, machine, "auditshift switch --yes", 3)
    machine.check("shutdown -r +600")
    ends(lab, machine, "auditshift rollback --yes", 0)
    lab.that(scheduled(machine) is not None, "a reboot that somebody else arranged stays")
    machine.check("shutdown -c")


def in_the_window(lab, machine, boot):
    clock(machine, f"{FRIDAY} 12:00:00")
    ends(lab, machine, f"auditshift switch --yes --reboot '{WINDOW}'", 3)
    clock(machine, f"{SATURDAY} 01:59:30")
    lab.equal(machine.boot_id(), boot, "half a minute before the window: not yet")
    machine.wait_reboot(boot, seconds=600)
    last = machine.check(f"journalctl _BOOT_ID={boot.replace('-', '')} -o short-iso --no-pager | tail -n 1").split()[0]
    lab.that(f"{SATURDAY}T02:00:00" <= last[:19] <= f"{SATURDAY}T04:00:00", f"it went down in the window: {last}")
    has_ended(lab, machine, "switched", 0)
