# SPDX-License-Identifier: Apache-2.0
"""What a scenario works with: machines made from cached images, and a place for what it finds."""

import collections
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from machine import FROZEN_DISK, Machine, MachineError

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
# Of the user, not of this copy of the sources: the images are the same for all of them.
CACHE = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
STORE = pathlib.Path(os.environ.get("AUDITSHIFT_VM_STORE") or pathlib.Path(CACHE) / "auditshift/vm")
# How many machines run at a time: one of three waits for its disk or for a clock, mostly.
CORES = os.cpu_count() or 1
AT_ONCE = int(os.environ.get("AUDITSHIFT_VM_AT_ONCE") or min(max(1, CORES * 3 // 2), 6))
USER_SPACE = "bookworm"  # the suite whose user space and kernel a scenario gets unless it asks for another


class Lab:
    """Of one run of one scenario. `shelf`: a directory of the whole run, for machines that scenarios share; `quick`:
    the short form of the scenario, if it has one; `lines`: where what is found goes instead of standard output."""

    _shelf_locks = collections.defaultdict(threading.Lock)  # by the name of a frozen machine
    _slots = threading.BoundedSemaphore(AT_ONCE)  # of machines

    def __init__(self, scenario, payload, build, shelf, quick=False, lines=None):
        self.quick = quick
        self._scenario, self._payload, self._shelf = scenario, payload, pathlib.Path(shelf)
        self.build = build  # the build directory, for what is not in the payload
        self._evidence = STORE / "failed" / scenario
        shutil.rmtree(self._evidence, ignore_errors=True)
        self._machines, self._running = 0, 0
        self._lines = lines
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.cpu_seconds = 0.0  # of its machines, those that it prepared for others too

    def that(self, holds, what, detail=""):
        """An assertion. The scenario goes on when it fails; returns whether it holds."""
        self._print("ok  " if holds else "FAIL", what)
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            if detail:
                self.say("       " + str(detail).strip().replace("\n", "\n       "))
        return bool(holds)

    def equal(self, found, wanted, what):
        return self.that(found == wanted, what, f"found {found!r}\nwanted {wanted!r}")

    def succeeds(self, machine, command, what, **options):
        result = machine.run(command, **options)
        return self.that(result.code == 0, what, result)

    def skip(self, what, reason):
        self.skipped += 1
        self._print("skip", f"{what}: {reason}")

    def note(self, text):
        self._print("    ", text)

    def failure(self, error):
        """An error that ends the scenario."""
        self.failed += 1
        self._print("FAIL", str(error))

    def prepared(self, name, prepare, **options):
        """A machine that prepare(lab, machine) made ready, frozen: made once in a run of many scenarios, for
        machine(frozen=…), which has it running again within seconds and as often as wanted."""
        place = self._shelf / name
        with self._shelf_locks[name]:
            if not (place / "options").exists():
                with self.machine(**options) as machine:
                    prepare(self, machine)
                    machine.freeze(place)
                if not (place / FROZEN_DISK).exists():
                    raise MachineError(f"the machine {name} could not be prepared")
                (place / "options").write_text(repr(options))
        return place

    def parallel(self, tasks):
        """Calls each with a lab of its own, as many at a time as there may be machines; what each found is printed in one piece
        when it is over."""

        def call(number, task):
            part = Lab.__new__(Lab)
            counts = {"passed": 0, "failed": 0, "skipped": 0, "cpu_seconds": 0.0, "_running": 0}
            counts["_machines"] = 1000 * (self._machines + number)
            part.__dict__.update(self.__dict__, **counts, _lines=[])
            try:
                task(part)
            except MachineError as error:
                part.failure(error)
            return part

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for done in concurrent.futures.as_completed(
                [pool.submit(call, number, task) for number, task in enumerate(tasks, 1)]
            ):
                part = done.result()
                self.say("\n".join(part._lines))
                self.passed, self.failed = self.passed + part.passed, self.failed + part.failed
                self.skipped, self.cpu_seconds = self.skipped + part.skipped, self.cpu_seconds + part.cpu_seconds

    @contextlib.contextmanager
    def machine(self, kernel=USER_SPACE, suite=USER_SPACE, root="root", boot=False, **options):
        """A running machine with the project's programs in it. What fails in it leaves its logs behind.

        Without `options` (of Machine) it goes on from one that was booted once in the run for all scenarios; with
        `boot` it is one that has just booted."""
        if not options and not boot:
            name = f"booted-{root}-{suite}-{kernel}"
            options["frozen"] = self.prepared(name, lambda *_: None, kernel=kernel, suite=suite, root=root, boot=True)
        self._machines += 1
        number = self._machines
        failed_before = self.failed
        root_file, kernel_directory = image(root, suite), image("kernel", kernel)
        with self._slot(), tempfile.TemporaryDirectory(prefix="machine-", dir=STORE) as directory:
            machine = Machine(root_file, kernel_directory, directory, payload=self._payload, **options)
            try:
                with machine:
                    self.note(f"machine {number}: user space {suite}, kernel {machine.kernel_version}")
                    try:
                        yield machine
                    except MachineError as error:
                        self.failure(error)
                    if self.failed > failed_before:
                        self._keep(machine, number)
            except MachineError:  # it did not even start
                self._keep(machine, number)
                raise
            finally:
                self.cpu_seconds += machine.cpu_seconds

    @contextlib.contextmanager
    def _slot(self):
        """One of the AT_ONCE. A scenario's further machines beside one that it has need none: it would wait for itself."""
        with contextlib.ExitStack() as held:
            if self._running == 0:
                held.enter_context(self._slots)
            self._running += 1
            try:
                yield
            finally:
                self._running -= 1

    def _keep(self, machine, number):
        kept = machine.keep_evidence(self._evidence / f"machine-{number}")
        self.note(f"console and journal of this machine: {kept}")

    def _print(self, mark, text):
        self.say(f"  {mark} {text}")

    def say(self, line):
        if self._lines is None:
            print(line, flush=True)
        else:
            self._lines.append(line)


def image(kind, suite):
    """A cached image of image.sh, made now when it is not there."""
    made = subprocess.run([HERE / "image.sh", kind, suite], stdout=subprocess.PIPE, check=False, text=True)
    if made.returncode != 0:
        raise MachineError(f"no {kind} of {suite}: tests/vm/image.sh {kind} {suite} failed")
    return pathlib.Path(made.stdout.strip())
