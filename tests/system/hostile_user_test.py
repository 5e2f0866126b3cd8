#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: hostile_user_test.py DAEMON AUDITSHIFT: an ordinary user who wants to stop the sensor, blind it, or have it tell what never was.

The real daemon, the real kernel, a real other user (nobody). Needs root.
"""

import ctypes
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True  # no __pycache__ in the source tree
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "soak"))

from sensor import Sensor  # noqa: E402

NOBODY = 65534
CGROUPS = 100_000
EVIL = "\033]0;owned\007\033[2J\n\r\u202e"
PATIENCE = 120  # seconds; a busy machine takes its time


def as_nobody(act, limits=()):
    """Runs act() in a process of another user and waits; its exit code."""
    child = os.fork()
    if child == 0:
        try:
            for what, value in limits:
                resource.setrlimit(what, (value, value))
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            act()
            os._exit(0)
        except BaseException as error:  # pylint: disable=broad-except
            print(f"as nobody: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Base(unittest.TestCase):
    provider = "ebpf"

    def setUp(self):
        self.place = tempfile.TemporaryDirectory(prefix="auditshift-hostile-", ignore_cleanup_errors=True)
        self.addCleanup(self.place.cleanup)
        os.chmod(self.place.name, 0o755)
        self.sensor = Sensor(DAEMON, self.place.name, ["--provider", self.provider, "--rotate-size", "0"])
        self.addCleanup(self.sensor.close)
        self.sensor.start()
        self.work = pathlib.Path(self.place.name) / "work"
        self.work.mkdir()
        os.chmod(self.work, 0o777)

    def tearDown(self):
        self.see_and_stop()

    def lines(self):
        return [line for line in self.sensor.output.read_bytes().split(b"\n") if line]

    def find(self, marker, kind="exec"):
        """The first event of this kind whose line holds the marker; waits for it."""
        deadline = time.monotonic() + PATIENCE
        wanted = b'"action":"' + kind.encode() + b'"'
        while time.monotonic() < deadline:
            for line in self.lines():
                if marker.encode() in line and wanted in line:
                    try:
                        return json.loads(line)
                    except ValueError:
                        pass  # half of it is written
            time.sleep(0.2)
        return None

    def see_and_stop(self):
        """It still sees what root does, and ends when it is asked to."""
        if self.sensor.process is None or self.sensor.process.poll() is not None:
            self.fail("the daemon ended by itself")
        # Long enough for the process connector, whose events name nothing: the rest is looked up.
        subprocess.run([f"{self.id()}-after", "2"], executable="/bin/sleep", check=True)
        self.assertIsNotNone(self.find(f"{self.id()}-after"), "blind afterwards")
        self.assertEqual(self.sensor.stop(signal.SIGTERM), 0)
        for line in self.lines():
            json.loads(line)


class Names(Base):
    def test_no_name_reaches_a_terminal_as_it_is(self):
        def act():
            os.chdir(self.work)
            for name in (f"file-{EVIL}", "n" * 255, "\udcff\udcfe broken"):
                os.close(os.open(os.fsencode(name), os.O_WRONLY | os.O_CREAT))
                os.rename(os.fsencode(name), b"other")
            # As deep as a path may be, and then some, reached by steps.
            for _ in range(20):
                os.mkdir("d" * 255)
                os.chdir("d" * 255)
            os.close(os.open("deep-file", os.O_WRONLY | os.O_CREAT))
            os.rename("deep-file", "deep-other")
            ctypes.CDLL(None).prctl(15, EVIL.encode()[:15])  # PR_SET_NAME
            os.posix_spawn("/bin/true", [f"argument-{EVIL}", "a" * 100_000], {})
            os.wait()

        follower = subprocess.Popen([AUDITSHIFT, "diagnostic", "ebpf-statistics", "--time", "5", "--socket", self.sensor.socket],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        self.assertEqual(as_nobody(act), 0)
        out, err = follower.communicate(timeout=PATIENCE)
        self.assertEqual(follower.returncode, 0, err)
        for byte in out + err:
            self.assertTrue(byte == 10 or 32 <= byte < 127 or byte >= 0x80, f"byte {byte} in {out}")
        self.assertNotIn("\u202e", out.decode())
        self.assertIsNotNone(self.find("argument-"))
        self.assertIsNotNone(self.find("deep-other", "rename"))
        self.assertIsNotNone(self.find("n" * 255, "rename"))
        for line in self.lines():
            self.assertFalse(any(byte < 32 or byte == 127 for byte in line), line)
            line.decode("utf-8")


class Exhaustion(Base):
    def test_a_fork_bomb(self):
        def bomb():
            end = time.monotonic() + 5
            while time.monotonic() < end:
                try:
                    if os.fork() == 0 and time.monotonic() >= end:
                        os._exit(0)
                except BlockingIOError:
                    try:
                        os.waitpid(-1, os.WNOHANG)
                    except ChildProcessError:
                        os._exit(0)

        def act():
            os.setsid()
            bomb()
            while True:
                try:
                    os.wait()
                except ChildProcessError:
                    break

        before = self.sensor.measure()
        as_nobody(act, [(resource.RLIMIT_NPROC, 300)])
        self.assertIn("healthy", self.sensor.health())
        self.assertLess(self.sensor.measure()["anonymous"] - before["anonymous"], 32 << 20)

    def test_descriptors(self):
        def act():
            children = []
            for _ in range(30):
                child = os.fork()
                if child == 0:
                    try:
                        while True:
                            os.open("/dev/null", os.O_RDONLY)
                    except OSError:
                        time.sleep(3)
                        os._exit(0)
                children.append(child)
            for child in children:
                os.waitpid(child, 0)

        before = self.sensor.measure()
        self.assertEqual(as_nobody(act, [(resource.RLIMIT_NOFILE, 1024)]), 0)
        self.assertIn("healthy", self.sensor.health())
        self.assertLessEqual(self.sensor.measure()["descriptors"], before["descriptors"] + 1)

    def test_control_groups(self):
        root = next((place for place in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{place}/cgroup.procs")), None)
        if root is None:
            self.skipTest("no control groups of version 2")
        top = pathlib.Path(root) / f"auditshift-hostile-{os.getpid()}"
        before = self.sensor.measure()
        made = []
        try:
            top.mkdir()
            made.append(top)
            for number in range(CGROUPS):
                place = top / f"g{number}"
                place.mkdir()
                made.append(place)
                if number % 200 == 0:
                    child = os.fork()
                    if child == 0:
                        (place / "cgroup.procs").write_text("0")
                        os.execv("/bin/true", ["/bin/true", f"in-group-{number}-"])
                    os.waitpid(child, 0)
            last = self.find(f"in-group-{CGROUPS - 200}-")
            self.assertIsNotNone(last)
            self.assertEqual(last["auditshift"]["cgroup_id"], (top / f"g{CGROUPS - 200}").stat().st_ino)
        finally:
            for place in reversed(made):
                place.rmdir()
        after = self.sensor.measure()
        self.assertLess(after["anonymous"] - before["anonymous"], 32 << 20)
        self.assertEqual(after["maps"], before["maps"])


class Forgery(Base):
    def test_a_pid_that_is_used_again(self):
        def run_with(pid, argument):
            pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
            child = os.fork()
            if child == 0:
                os.execv("/bin/true", ["/bin/true", argument])
            os.waitpid(child, 0)
            return child

        for attempt in range(200):
            pid = 20_000 + attempt
            if os.path.exists(f"/proc/{pid}"):
                continue
            if run_with(pid, f"first-{attempt}-") == pid == run_with(pid, f"second-{attempt}-"):
                break
        else:
            self.skipTest("other processes took the pids")
        first, second = self.find(f"first-{attempt}-"), self.find(f"second-{attempt}-")
        self.assertIsNotNone(first)
        self.assertIsNotNone(second)
        self.assertEqual(first["process"]["pid"], second["process"]["pid"])
        self.assertNotEqual(first["process"]["entity_id"], second["process"]["entity_id"])


class ForgedMessages(Base):
    provider = "netlink"

    def test_only_the_kernel_is_believed(self):
        # linux/connector.h, linux/cn_proc.h: the process with pid 1 gets another name.
        event = struct.pack("=IIQii16s", 0x200, 0, time.clock_gettime_ns(time.CLOCK_MONOTONIC), 1, 1, b"forged-by-user")
        message = struct.pack("=IIIIHH", 1, 1, 0, 0, len(event), 0) + event
        datagram = struct.pack("=IHHII", 16 + len(message), 3, 0, 0, 0) + message
        ports = [int(line.split()[2]) for line in pathlib.Path("/proc/net/netlink").read_text().splitlines()[1:] if line.split()[1] == "11"]
        self.assertTrue(ports)

        def send():
            with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 11) as forger:  # NETLINK_CONNECTOR
                forger.bind((0, 0))
                for port in ports:
                    if port:
                        forger.sendto(datagram, (port, 0))

        self.assertEqual(as_nobody(lambda: self.assertRaises(PermissionError, send)), 0, "the kernel lets no other user send")
        send()  # and what root's processes send is told by its sender
        time.sleep(1)
        self.assertFalse(any(b"forged-by-user" in line for line in self.lines()))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    DAEMON, AUDITSHIFT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
