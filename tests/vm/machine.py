# SPDX-License-Identifier: Apache-2.0
"""A virtual machine: start, run commands in it, copy files, reboot, cut its power.

QEMU without KVM, so that it runs everywhere the tests run; no network unless ssh is asked for. Commands go through the QEMU guest agent,
a program of the image that listens on a virtual serial port.

Disks: the root file system is a throw-away overlay on the cached image. The guest sees a disk with a volatile
write cache and sends flushes (cache=writeback); power_cut() kills QEMU, so all that the guest still had in its own
memory is gone, what it flushed is kept, and what it wrote without a flush may or may not be kept: as with real disks.
"""

import base64
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

# A machine of two shared cores under TCG takes its time; these are for hangs, not for slowness.
BOOT_SECONDS = 300
COMMAND_SECONDS = 120
CHUNK = 256 * 1024  # bytes of a file in one message to the agent
FROZEN_DISK, FROZEN_MEMORY = "disk.qcow2", "memory"


class MachineError(Exception):
    """The machine did not do what it was told to."""


@dataclasses.dataclass
class Result:
    """What a command in the machine left."""

    command: str
    code: int
    out: str
    err: str

    def __str__(self):
        return f"`{self.command}` ended with {self.code}\n{self.out}{self.err}"


def decode(text):
    return base64.b64decode(text).decode(errors="replace")


class GuestAgent:
    """The protocol of qemu-guest-agent: one line of JSON each way."""

    def __init__(self, path):
        self._path = path
        self._socket = None
        self._buffer = b""

    def close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def synchronise(self, seconds):
        """Whether the agent answers within that time. What was underway before is forgotten."""
        self.close()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        mark = time.monotonic_ns() & 0x7FFFFFFF
        try:
            self._socket.connect(str(self._path))
            # The 0xff makes the agent drop half a request that an earlier connection left.
            self._send(b"\xff", "guest-sync-delimited", {"id": mark})
            while True:
                line = self._line()
                if line.rpartition(b"\xff")[2].strip() == b'{"return": %d}' % mark:
                    return True
        except (OSError, MachineError):
            self.close()
            return False

    def call(self, command, seconds=60, **arguments):
        if self._socket is None:
            raise MachineError("the guest agent is not connected")
        self._socket.settimeout(seconds)
        try:
            self._send(b"", command, arguments)
            answer = json.loads(self._line())
        except (OSError, ValueError) as error:
            self.close()
            raise MachineError(f"guest agent: {command}: {error}") from error
        if "error" in answer:
            raise MachineError(f"guest agent: {command}: {answer['error'].get('desc')}")
        return answer["return"]

    def _send(self, prefix, command, arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        self._socket.sendall(prefix + text.encode() + b"\n")

    def _line(self):
        while b"\n" not in self._buffer:
            data = self._socket.recv(1 << 16)
            if not data:
                raise MachineError("the guest agent's line was closed")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class Monitor:
    """QEMU's own protocol (QMP): one line of JSON each way, events in between."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        try:
            self._socket.connect(str(path))
            self._lines = self._socket.makefile("rb")
            json.loads(self._lines.readline())  # the greeting
            self.call("qmp_capabilities")
        except (OSError, ValueError) as error:
            raise MachineError(f"QEMU's monitor: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def call(self, command, **arguments):
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            line = self._lines.readline()
            if not line:
                raise MachineError(f"QEMU's monitor: {command}: no answer")
            answer = json.loads(line)
            if "error" in answer:
                raise MachineError(f"QEMU's monitor: {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]


class Machine:
    """One virtual machine. Use as a context manager: at the end it is stopped and its disk thrown away.

    root: file of a root file system; kernel: directory with vmlinux, initrd and modules.ext4 (both of image.sh);
    directory: where its disk, sockets and console log lie; payload: a tar file of payload.sh, unpacked and installed after the
    first boot; append: further words of the kernel's command line; date: what its clock starts at ("2026-01-31T23:59:00");
    frozen: a directory that freeze() filled: this machine goes on from there, with the programs that it had;
    disk: a file that copy_disk() left: this machine boots from there;
    ssh_port: this port of 127.0.0.1 leads to port 22 of the machine's eth0, 10.0.2.15; it reaches nothing else;
    cores: one costs less of the host's time than two, which wait for each other;
    counted: its clock, and so the time stamp counter, goes on by one nanosecond with each instruction. Slower.
    """

    def __init__(
        self, root, kernel, directory, payload=None, append="", date=None, memory=1024, cores=1, frozen=None, disk=None,
        ssh_port=None, counted=False,
    ):  # fmt: skip
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._root, self._kernel = pathlib.Path(root), pathlib.Path(kernel)
        self._payload, self._append, self._date = payload, append, date
        self._memory, self._cores, self._ssh_port = memory, cores, ssh_port
        self._counted = counted
        self._disk = self.directory / "disk.qcow2"
        self._process = None
        self.cpu_seconds = 0.0  # of the host's, that QEMU took until it ended
        self._console_mark = 0
        self._frozen = None if frozen is None else pathlib.Path(frozen).resolve()
        self._agent = GuestAgent(self.directory / "agent.sock")
        self.kernel_version = (self._kernel / "version").read_text().strip()
        below, form = (self._root.resolve(), "raw") if frozen is None else (self._frozen / FROZEN_DISK, "qcow2")
        if disk is not None:
            below, form = disk, "qcow2"
        self._installed = disk is not None
        backing = ["-F", form, "-b", str(below)]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(self._disk)], check=True)

    def __enter__(self):
        try:
            if self._frozen is not None:
                self._thaw()
            else:
                self.start()
                if self._payload and not self._installed:
                    self.check("tar -x --no-same-owner -C / -f /dev/vdc && /opt/auditshift-tests/install", seconds=300)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.power_cut()
        self._disk.unlink(missing_ok=True)

    @property
    def console(self):
        return self.directory / "console.log"

    @property
    def stops(self):
        """A socket that leads to the port auditshift.stops of the machine."""
        return self.directory / "stops.sock"

    def start(self, seconds=BOOT_SECONDS):
        """Switches it on and waits until it answers."""
        self._start()
        self.wait_boot(seconds)

    def _start(self, options=()):
        with open(self.directory / "qemu.log", "ab") as log:
            command = [*self._command(), *options]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _thaw(self):
        self._start(["-incoming", f"exec:cat '{self._frozen / FROZEN_MEMORY}'"])
        end = time.monotonic() + COMMAND_SECONDS
        while not (self.directory / "monitor.sock").exists() and time.monotonic() < end:
            time.sleep(0.05)
        with Monitor(self.directory / "monitor.sock") as monitor:
            while monitor.call("query-migrate").get("status") != "completed":
                if time.monotonic() > end:
                    raise MachineError(f"the frozen machine {self._frozen} does not go on")
                time.sleep(0.1)
            monitor.call("cont")
        self.wait_boot()

    def freeze(self, directory):
        """Stops the machine and keeps all of it, disk and memory, for others to go on from. The machine is over then."""
        target = pathlib.Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        self.check("sync")
        with Monitor(self.directory / "monitor.sock") as monitor:
            monitor.call("stop")
            monitor.call("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            monitor.call("migrate", uri=f"exec:cat > '{target.resolve() / FROZEN_MEMORY}'")
            while (state := monitor.call("query-migrate").get("status")) in ("setup", "active", "device"):
                time.sleep(0.1)
            if state != "completed":
                raise MachineError(f"the machine's memory could not be kept: {state}")
            self._count_cpu()
            monitor.call("quit")
        self._agent.close()
        self._process.wait()
        self._process = None
        shutil.move(self._disk, target / FROZEN_DISK)

    def _command(self):
        date = ["-rtc", f"base={self._date}"] if self._date else []
        network = ["-nic", "none"]
        if self._ssh_port:
            network = ["-nic", f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{self._ssh_port}-10.0.2.15:22"]
        # no_timer_check: on a busy host the emulated timer may be too late for the kernel's test of it, and it would panic.
        # norandmaps: QEMU (7.2) translates a program anew wherever else it is loaded; with it one starts in a third of the time.
        # edd=off: asking the firmware for disks takes ten seconds after a reboot.
        # loglevel, show_status: each character on the emulated console costs a write to a port; all of it is in the journal.
        fast = "mitigations=off norandmaps edd=off loglevel=5 systemd.show_status=0"
        command_line = f"console=ttyS0 root=/dev/vda rw net.ifnames=0 {fast} panic=-1 no_timer_check {self._append}"
        counting = ["-icount", "shift=0"] if self._counted else []
        # Without queues of their own per core the disks need fewer emulated interrupts.
        drives = []
        disks = [(self._disk, "qcow2", "off"), (self._kernel / "modules.ext4", "raw", "on")]
        if self._payload:
            disks.append((self._payload, "raw", "on"))
        for number, (file, kind, read_only) in enumerate(disks):
            drives += [
                "-drive", f"if=none,id=d{number},file={file},format={kind},read-only={read_only},cache=writeback",
                "-device", f"virtio-blk-pci,drive=d{number},num-queues=1",
            ]  # fmt: skip
        return [
            "qemu-system-x86_64", "-name", "auditshift-test", "-machine", "q35",
            # One thread for all processors of a machine: with one for each, a processor may go on with a translation of code that
            # another has changed, which the kernel does where programs are attached (text_poke_bp(), arch/x86/kernel/alternative.c).
            # It met breakpoints that were gone, and panicked, or met the same one for ever. There are more machines than cores anyway.
            "-accel", "tcg,thread=single,tb-size=256", *counting,
            # Old enough that programs do without what QEMU emulates slowly (AVX and the like): a boot costs a fifth less than
            # with "max".
            "-cpu", "Nehalem", "-smp", str(self._cores), "-m", str(self._memory),
            "-nodefaults", "-no-user-config", "-nographic", *network, "-device", "virtio-rng-pci",
            "-kernel", str(self._kernel / "vmlinux"), "-initrd", str(self._kernel / "initrd"),
            "-append", command_line,
            # append=on: each boot adds to the log.
            "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.directory}/agent.sock,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-chardev", f"socket,id=stops,path={self.stops},server=on,wait=off",
            "-device", "virtserialport,chardev=stops,name=auditshift.stops",
            "-qmp", f"unix:{self.directory}/monitor.sock,server=on,wait=off",
            *drives, *date,
        ]  # fmt: skip

    def wait_boot(self, seconds=BOOT_SECONDS, other_than=None):
        """Waits until the machine answers, after a reboot with another boot id than `other_than`."""
        end, patience = time.monotonic() + seconds, 1.0  # a busy host's machine may take longer to answer
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise MachineError(f"the machine went off while it booted; its console: {self.console}")
            patience = min(patience * 1.2, 5)
            try:
                if self._agent.synchronise(patience) and (other_than is None or self.boot_id() != other_than):
                    return
            except MachineError:
                pass  # it is on its way down
            time.sleep(0.2)
        raise MachineError(f"the machine did not answer within {seconds} seconds; its console: {self.console}")

    def boot_id(self):
        return self.read("/proc/sys/kernel/random/boot_id").strip()

    def run(self, command, seconds=COMMAND_SECONDS):
        """Runs a command of bash as root; a Result. After `seconds` it is killed (exit code 124)."""
        started = self._agent.call(
            "guest-exec",
            path="/usr/bin/timeout",
            arg=["-k", "5", str(seconds), "/bin/bash", "-c", command],
            env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"],
            **{"capture-output": True},
        )
        end, pause = time.monotonic() + seconds + 30, 0.05
        while time.monotonic() < end:
            status = self._agent.call("guest-exec-status", pid=started["pid"])
            if status["exited"]:
                out, err = (decode(status.get(name, "")) for name in ("out-data", "err-data"))
                return Result(command, status.get("exitcode", 128 + status.get("signal", 0)), out, err)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.4)
        raise MachineError(f"`{command}` neither ended nor could be killed")

    def check(self, command, seconds=COMMAND_SECONDS):
        """As run(), for commands that must succeed; their standard output."""
        result = self.run(command, seconds)
        if result.code != 0:
            raise MachineError(str(result))
        return result.out

    def wait_until(self, command, seconds=COMMAND_SECONDS):
        """Runs the command until it succeeds; whether it did in that time."""
        end, pause = time.monotonic() + seconds, 0.5
        while time.monotonic() < end:
            if self.run(command).code == 0:
                return True
            time.sleep(pause)
            pause = min(pause * 1.5, 1)  # what it waits for shares the processor with the asking
        return False

    def wait_console(self, text, seconds=COMMAND_SECONDS):
        """Waits until the console shows the text, since mark_console(); whether it did."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in self.console.read_text(errors="replace")[self._console_mark :]:
                return True
            time.sleep(0.02)
        return False

    def mark_console(self):
        """From here on wait_console() looks."""
        self._console_mark = len(self.console.read_text(errors="replace")) if self.console.exists() else 0

    def read(self, path):
        return self.get(path).decode(errors="replace")

    def get(self, path):
        """The bytes of a file in the machine."""
        handle, content = self._agent.call("guest-file-open", path=path, mode="r"), b""
        try:
            while True:
                part = self._agent.call("guest-file-read", handle=handle, count=CHUNK)
                content += base64.b64decode(part["buf-b64"])
                # Files of /proc tell no size: the end is an empty part.
                if part["eof"] or part["count"] == 0:
                    return content
        finally:
            self._agent.call("guest-file-close", handle=handle)

    def put(self, path, content, mode="644"):
        """Writes a file in the machine, durably."""
        data = content.encode() if isinstance(content, str) else content
        self.check(f"mkdir -p '{pathlib.PurePosixPath(path).parent}'")
        handle = self._agent.call("guest-file-open", path=path, mode="w")
        for start in range(0, len(data), CHUNK):
            part = base64.b64encode(data[start : start + CHUNK]).decode()
            self._agent.call("guest-file-write", handle=handle, **{"buf-b64": part})
        self._agent.call("guest-file-flush", handle=handle)
        self._agent.call("guest-file-close", handle=handle)
        self.check(f"chmod {mode} '{path}' && sync '{path}'")

    def reboot(self, seconds=BOOT_SECONDS):
        """Reboots in good order and waits until it answers again."""
        before = self.boot_id()
        # A moment later, so that the agent can still answer; systemd would take up to a minute more otherwise.
        self.check("systemd-run --quiet --on-active=1 --timer-property=AccuracySec=10ms systemctl reboot")
        self.wait_reboot(before, seconds)

    def wait_reboot(self, before, seconds=BOOT_SECONDS):
        """Waits for a reboot that was asked for elsewhere; `before` is the boot id that ends."""
        self.wait_boot(seconds, other_than=before)

    def power_cut(self):
        """Off at once, as if the cable was pulled. start() switches it on again with the same disk."""
        self._agent.close()
        if self._process is not None:
            self._count_cpu()
            self._process.kill()
            self._process.wait()
        self._process = None

    def _count_cpu(self):
        """Right before QEMU is ended; proc(5) names the fields. What ended by itself has left no time to be read."""
        if self._process.poll() is not None:
            return
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        self.cpu_seconds += (user + system) / os.sysconf("SC_CLK_TCK")

    def copy_disk(self, target):
        """The disk as power_cut() would leave it now; the machine goes on. QEMU stops as suddenly as it would be killed: in
        good order it would first write what it still holds back."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            if os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT).si_code != os.CLD_STOPPED:
                raise MachineError(f"the machine went off; its console: {self.console}")
            subprocess.run(["cp", "--sparse=always", str(self._disk), str(target)], check=True)
        finally:
            self._process.send_signal(signal.SIGCONT)

    def keep_evidence(self, directory):
        """Copies console log and, if the machine answers, its journal to a directory that stays."""
        target = pathlib.Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        for file in (self.console, self.directory / "qemu.log"):
            if file.exists():
                shutil.copy(file, target / file.name)
        try:
            journal = self.run("journalctl -b --no-pager -o short-monotonic | tail -n 5000").out
        except MachineError as error:
            journal = f"not to be had: {error}\n"
        (target / "journal.log").write_text(journal)
        return target
