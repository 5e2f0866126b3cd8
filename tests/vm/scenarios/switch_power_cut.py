# SPDX-License-Identifier: Apache-2.0
"""Power cuts at every record of a switch's and a rollback's journal: after the boot the host is all new or all old.

The program is stopped by a library preloaded into it (stop_at_record.c), right after a record was synced or right
before, when all that the record tells of has happened; then QEMU is killed. Locked hosts may need one more reboot, as
status says; the boot unit's own records are cut off, too. One record is cut off before, the next one after it, on the
locked host the other way round. What a locked host does like the other is tried at every third record.
AUDITSHIFT_VM_CUTS=all tries every record of both, before and after; AUDITSHIFT_VM_CUTS="mutable:rollback:8:before …" those cuts alone.
"""

import functools
import os

from machine import MachineError
from switching import MARKER, RESUME, locked, mutable, not_switched, resume_log, settled, state_of, status_of

PRELOAD = "/usr/lib/auditshift-vm/stop_at_record.so"
ORDER = "/etc/auditshift-stop"
SYNCS = "/run/auditshift-syncs"
# In place of the transient unit, which would not get the preloaded library.
PROGRAM = f"AUDITSHIFT_DETACHED=1 LD_PRELOAD={PRELOAD} auditshift"
SWITCH, ROLLBACK, BOOT = f"{PROGRAM} switch --yes", f"{PROGRAM} rollback --yes", "systemctl reboot"

QUICK = True
PARALLEL = True  # runs alone: it has several machines at a time


def run(lab):
    if lab.quick:
        # In the middle of the switch: some files are changed, some are not.
        plain = way(lab, "mutable", mutable(lab), [SWITCH], 0, 1)
        return lab.parallel(plain[len(plain) // 2 : len(plain) // 2 + 1])
    cuts = []
    if wanted("mutable"):
        cuts += way(lab, "mutable", mutable(lab), [SWITCH, ROLLBACK], 0, 1)
    if wanted("locked"):
        cuts += way(lab, "locked", locked(lab), [SWITCH, BOOT, ROLLBACK, BOOT], 1, 3)
    lab.note(f"{len(cuts)} power cuts")
    lab.that(len(cuts) >= max(1, len(chosen())), "there is each power cut that was asked for", f"AUDITSHIFT_VM_CUTS: {chosen()}")
    return lab.parallel(cuts)


def chosen():
    """The cuts that were asked for by name; none: those of the sweep."""
    names = os.environ.get("AUDITSHIFT_VM_CUTS", "").split()
    return [] if names == ["all"] else names


def wanted(host):
    return not chosen() or any(name.startswith(f"{host}:") for name in chosen())


def way(lab, name, frozen, commands, turn, every):
    """Takes a host there and back by these commands, freezing it before each; the power cuts on that way."""
    stage, old, cuts = lab.prepared(f"{name}-stop", install, frozen=frozen), None, []
    with lab.machine(frozen=stage) as machine:
        old = state_of(machine)
    for number, command in enumerate(commands, 1):
        syncs = []
        after = lab.prepared(f"{name}-stop-{number}", functools.partial(count, command, syncs), frozen=stage)
        if syncs:
            (after / "syncs").write_text(str(syncs[0]))  # for a run that finds the machine on its shelf
        for sync in range(1, int((after / "syncs").read_text()) + 1):
            times = (("before", "after")[(sync + turn) % 2],)
            if chosen():
                label = f"{name}:{short(command).split()[1]}:{sync}"
                times = [when for when in ("before", "after") if f"{label}:{when}" in chosen()]
            elif os.environ.get("AUDITSHIFT_VM_CUTS") == "all":
                times = ("before", "after")
            elif command != BOOT and sync % every != 0:
                continue
            cuts += [functools.partial(cut, name, stage, command, sync, when, old) for when in times]
        stage = after
    return cuts


def install(lab, machine):
    machine.put(PRELOAD, (lab.build / "tests/vm/stop_at_record.so").read_bytes())
    machine.put(f"/etc/systemd/system/{RESUME}.d/stop.conf", f"[Service]\nEnvironment=LD_PRELOAD={PRELOAD}\n")
    machine.check("systemctl daemon-reload")


def count(command, syncs, lab, machine):
    """Runs a command to its end."""
    machine.put(ORDER, "0 after\n")
    if command == BOOT:
        machine.reboot()
        settled(machine)
    else:
        result = machine.run(command, seconds=600)
        if result.code not in (0, 3):
            raise MachineError(str(result))
    syncs.append(int(machine.check(f"cat {SYNCS}; rm -f {SYNCS}")))
    lab.note(f"{short(command)}: {syncs[0]} syncs of the journal")


def short(command):
    return command.rpartition(f"{PRELOAD} ")[2]


def ours(state):
    """Without what augenrules keeps of the compilation before the last: a boot in the middle, and the agent that starts then,
    run it once more."""
    files = [line for line in state["files"].splitlines() if "/etc/audit/audit.rules.prev" not in line]
    return state | {"files": files}


def cut(name, stage, command, sync, when, old, lab):
    """One power cut."""
    with lab.machine(frozen=stage) as machine:
        machine.put(ORDER, f"{sync} {when}\n")
        machine.mark_console()
        machine.check(f"systemd-run --quiet --on-active=0.1 /bin/bash -c '{command}'")
        if not machine.wait_console(f"auditshift stopped at sync {sync}", seconds=300):
            return lab.that(False, f"{name}: {short(command)} reaches sync {sync}", resume_log(machine))
        machine.power_cut()
        machine.start()
        settled(machine)
        waited = 0
        while status_of(machine)["state"] == "awaiting-reboot" and waited < 2:
            waited += 1
            machine.reboot()
            settled(machine)
        status, now = status_of(machine), state_of(machine)
        problems = [f"status: exit {status['exit']}"] if status["exit"] != 0 else []
        if status["state"] == "switched":
            problems += not_switched(old, now)
        elif status["state"] in ("idle", "rolled-back"):
            now, was = ours(now), ours(old)
            problems += [] if now == was else [f"not as before: {now}", f"but: {was}"]
        else:
            problems.append(f"status: {status}")
        if machine.run(f"test -e {MARKER}").code == 0:
            problems.append("the boot unit's marker is still there")
        text = f"{name}: {short(command)}, power cut {when} sync {sync}: {status['state']}, {waited} more reboots"
        return lab.that(not problems, text, "\n".join([*problems, resume_log(machine)]))
