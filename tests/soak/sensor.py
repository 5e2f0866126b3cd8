# SPDX-License-Identifier: Apache-2.0
"""The real daemon, started, killed, asked and measured."""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

MS_NODEV_NOEXEC_NOSUID = 2 | 4 | 8


class SensorError(Exception):
    pass


class Sensor:
    """Its files lie in `directory`; its pins in a BPF file system of their own there."""

    def __init__(self, program, directory, arguments=()):
        self.program = program
        self.directory = pathlib.Path(directory)
        self.arguments = list(arguments)
        self.output = self.directory / "events.ndjson"
        self.managed = self.directory / "managed.json"
        self.socket = self.directory / "sensord.sock"
        self.pins = self.directory / "bpf"
        self.process = None
        self.ends = []  # how it ended when nobody had asked
        self.pins.mkdir()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"bpf", os.fsencode(self.pins), b"bpf", MS_NODEV_NOEXEC_NOSUID, b"mode=0700") != 0:
            raise SensorError(f"cannot mount a BPF file system: {os.strerror(ctypes.get_errno())}")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        subprocess.run(["umount", "--lazy", str(self.pins)], check=False)

    def start(self):
        """Returns once it says that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = self.directory / "notify"
            path.unlink(missing_ok=True)
            notify.bind(str(path))
            notify.settimeout(1)
            with open(self.directory / "log", "ab") as log:
                self.process = subprocess.Popen(
                    [self.program, "--socket", self.socket, "--state", self.directory / "state.json", "--managed", self.managed,
                     "--output", self.output, "--pin", self.pins / "sensor", *self.arguments],
                    stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(path)})
            deadline = time.monotonic() + 600  # a busy machine takes its time to verify programs
            while time.monotonic() < deadline:
                try:
                    if b"READY=1" in notify.recv(4096):
                        return
                except TimeoutError:
                    pass
                if self.process.poll() is not None:
                    break
        raise SensorError(f"the daemon did not start (exit {self.process.poll()}):\n"
                          + (self.directory / "log").read_text(errors="replace")[-2000:])

    def stop(self, number):
        """Sends a signal; how the daemon ended."""
        if self.process.poll() is not None:
            self.ends.append(self.process.returncode)
        self.process.send_signal(number)
        return self.process.wait(timeout=600)

    def kill(self):
        self.stop(signal.SIGKILL)

    def ask(self, **request):
        if self.process.poll() is not None:
            raise SensorError(f"the daemon ended by itself: {self.process.returncode}\n"
                              + (self.directory / "log").read_text(errors="replace")[-2000:])
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(600)
            client.connect(str(self.socket))
            client.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = client.recv(1 << 16)
                if not part:
                    break
                answer += part
        answer = json.loads(answer)
        if not answer.get("ok"):
            raise SensorError(f"{request}: {answer}")
        return answer["result"]

    def health(self):
        return self.ask(request="health")

    def use_ebpf(self, enabled):
        answer = self.ask(request="config", name="ebpf_supplementary_event_provider", value="enabled" if enabled else "disabled")
        return answer["provider"]

    def measure(self):
        """Memory and descriptors of the daemon, in bytes; what its BPF maps take of the kernel's memory, by its own count."""
        proc = pathlib.Path("/proc") / str(self.process.pid)
        memory = {}
        for line in (proc / "status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key in ("VmRSS", "RssAnon"):
                memory[key] = int(value.split()[0]) * 1024
        maps = {}
        descriptors = 0
        for entry in (proc / "fd").iterdir():
            try:
                info = (proc / "fdinfo" / entry.name).read_text()
            except FileNotFoundError:
                continue
            descriptors += 1
            values = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
            if "map_id" in values:
                maps[values["map_id"].strip()] = int(values["memlock"])
        return {"rss": memory["VmRSS"], "anonymous": memory["RssAnon"], "descriptors": descriptors, "maps": sum(maps.values())}
