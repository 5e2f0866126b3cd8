# SPDX-License-Identifier: Apache-2.0
"""Power cuts at every record of a switch's and a rollback's journal: after the boot the host is all new or all old.

A host goes there and back once. A library preloaded into the program (stop_at_record.c) holds it right before a record
is synced, when all that the record tells of has happened, and right after; the disk is copied there as a power cut would leave it.
Then a machine boots from each copy. Locked hosts may need one more reboot, as status says; the boot unit's own records are cut
off, too. One record is cut off before, the next one after it, on the locked host the other way round. What a locked host does like the
other is tried at every third record.
AUDITSHIFT_VM_CUTS=all tries every record of both, before and after; AUDITSHIFT_VM_CUTS="mutable:rollback:8:before …" those cuts alone.
"""

import concurrent.futures
import contextlib
import functools
import os
import pathlib
import socket
import tempfile

from lab import STORE
from machine import MachineError
from switching import MARKER, RESUME, locked, mutable, not_switched, resume_log, settled, state_of, status_of

PRELOAD = "/usr/lib/auditshift-vm/stop_at_record.so"
ORDER = "/etc/auditshift-stop"
# In place of the transient unit, which would not get the preloaded library.
PROGRAM = f"AUDITSHIFT_DETACHED=1 LD_PRELOAD={PRELOAD} auditshift"
SWITCH, ROLLBACK, REBOOT = "switch", "rollback", "reboot"

QUICK = True
LONG = True


def run(lab):
    with tempfile.TemporaryDirectory(prefix="cuts-", dir=STORE) as directory:
        if lab.quick:
            # In the middle of the switch: some files are changed, some are not.
            plain = way(lab, directory, "mutable", mutable(lab), [SWITCH], 0, 1)
            lab.parallel(plain[len(plain) // 2 : len(plain) // 2 + 1])
            return
        tried = []

        def sweep(name, host, commands, turn, every, lab):
            cuts = way(lab, directory, name, host(lab), commands, turn, every)
            tried.extend(cuts)
            lab.note(f"{name}: {len(cuts)} power cuts")
            lab.parallel(cuts)

        sweeps = {
            "mutable": functools.partial(sweep, "mutable", mutable, [SWITCH, ROLLBACK], 0, 1),
            "locked": functools.partial(sweep, "locked", locked, [SWITCH, REBOOT, ROLLBACK, REBOOT], 1, 3),
        }
        lab.parallel([task for name, task in sweeps.items() if wanted(name)])
        lab.that(len(tried) >= max(1, len(chosen())), "there is each power cut that was asked for", f"AUDITSHIFT_VM_CUTS: {chosen()}")


def chosen():
    """The cuts that were asked for by name; none: those of the sweep."""
    names = os.environ.get("AUDITSHIFT_VM_CUTS", "").split()
    return [] if names == ["all"] else names


def wanted(host):
    return not chosen() or any(name.startswith(f"{host}:") for name in chosen())


def way(lab, directory, name, frozen, commands, turn, every):
    """Takes a host there and back by these commands; the power cuts on that way, their disks in that directory."""
    cuts = []
    with lab.machine(frozen=frozen) as machine:
        install(lab, machine)
        old = state_of(machine)
        for number, command in enumerate(commands):
            syncs = []

            def keep(when, sync, number=number, command=command, syncs=syncs):
                syncs.append(sync)
                label = f"{name}:{command}:{sync}:{when}"
                if not is_cut(label, command, sync, when, turn, every):
                    return
                disk = pathlib.Path(directory) / f"{name}-{number}-{sync}-{when}.qcow2"
                machine.copy_disk(disk)
                cuts.append(functools.partial(cut, f"{name}: {command}, power cut {when} sync {sync}", disk, old))

            with each_sync(machine, keep):
                carry_out(machine, command)
            lab.that(syncs, f"{name}: {command}: {max(syncs, default=0)} syncs of the journal")
    return cuts


def is_cut(label, command, sync, when, turn, every):
    if chosen():
        return label in chosen()
    if os.environ.get("AUDITSHIFT_VM_CUTS") == "all":
        return True
    return when == ("before", "after")[(sync + turn) % 2] and (command == REBOOT or sync % every == 0)


def install(lab, machine):
    machine.put(PRELOAD, (lab.build / "tests/vm/stop_at_record.so").read_bytes())
    machine.put(f"/etc/systemd/system/{RESUME}.d/stop.conf", f"[Service]\nEnvironment=LD_PRELOAD={PRELOAD}\n")
    machine.check("systemctl daemon-reload")


@contextlib.contextmanager
def each_sync(machine, take):
    """Calls take("before" or "after", number) while the program of the next command is held at that sync of its journal."""

    def follow(port):
        for line in port.makefile():
            when, sync = line.split()
            take(when, int(sync))
            port.sendall(b"\n")

    machine.put(ORDER, "each\n")
    with socket.socket(socket.AF_UNIX) as port, concurrent.futures.ThreadPoolExecutor(1) as beside:
        port.connect(str(machine.stops))
        following = beside.submit(follow, port)
        try:
            yield
        finally:
            port.shutdown(socket.SHUT_RDWR)
        following.result()


def carry_out(machine, command):
    if command == REBOOT:
        machine.reboot()
        settled(machine)
        return
    result = machine.run(f"{PROGRAM} {command} --yes", seconds=600)
    if result.code not in (0, 3):
        raise MachineError(str(result))


def ours(state):
    """Without what augenrules keeps of the compilation before the last: a boot in the middle, and the agent that starts then,
    run it once more."""
    files = [line for line in state["files"].splitlines() if "/etc/audit/audit.rules.prev" not in line]
    return state | {"files": files}


def cut(what, disk, old, lab):
    """What becomes of the host after one power cut."""
    with lab.machine(disk=disk) as machine:
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
        text = f"{what}: {status['state']}, {waited} more reboots"
        lab.that(not problems, text, "\n".join([*problems, resume_log(machine)]) if problems else "")
    disk.unlink()
