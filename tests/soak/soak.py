#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: soak.py [--minutes N] [--record FILE.json] DAEMON: the real sensor under mixed load for so long.

Meanwhile its output is rotated, its exclusions are changed through the managed file, it steps down from ebpf to netlink and comes
back, and in the first half of the time it is killed and started again; in the second half one daemon lives through, and its memory is
measured. At the end:

- every numbered event that the provider of its time reports is in the output, or the sensor itself counted a loss at that time;
- no event that was excluded is in the output; none comes twice, but around a kill;
- memory does not grow, descriptors and kernel maps do not become more.

Exit: 0 all that holds, 1 something does not.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # no __pycache__ in the source tree
sys.path.insert(0, str(HERE))

from judge import Judge  # noqa: E402
from sensor import Sensor, SensorError  # noqa: E402
from stream import Stream  # noqa: E402

LOADS = ("files", "processes", "sockets", "renames", "programs", "excluded")
NUMBERED = {"renames": "rename", "programs": "program", "excluded": "excluded"}


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Soak:
    def __init__(self, daemon, minutes, directory):
        self.directory = directory
        self.seconds = minutes * 60
        self.sensor = Sensor(daemon, directory, ["--provider", "auto", "--rotate-size", "8MiB", "--rotate-count", "20"])
        self.judge = Judge()
        self.samples = []
        self.counts = {"kills": 0, "failed starts": 0, "falls": 0, "exclusion changes": 0}
        self.loads = {}
        self.provider = "ebpf"
        self.excluding = False

    def run(self):
        self.start()
        begin = time.monotonic()
        stream = Stream(self.sensor.output)
        stream.start()
        self.begin_loads()
        # Twelve rounds of five acts; a sample between two acts and more where an act is long.
        act = self.seconds / 60
        for number in range(60):
            {0: self.exclude, 1: self.kill, 2: self.exclude, 3: self.fall, 4: self.rise}[number % 5]()
            while (left := begin + act * (number + 1) - time.monotonic()) > 0:
                time.sleep(min(left, 5))
                self.sample(begin)
            print(f"{number + 1} of 60: {self.samples[-1] if self.samples else ''}", flush=True)
        self.end_loads()
        time.sleep(3)
        self.counts["daemon's exit"] = self.sensor.stop(signal.SIGTERM)
        self.counts["pins left"] = int((self.sensor.pins / "sensor").exists())
        stream.finish()
        return self.judge.verdict(stream, self.samples, self.counts, self.sensor.ends)

    def start(self):
        """As a service manager does: again, when it ended because nothing came in time on a busy machine."""
        for _ in range(5):
            try:
                return self.sensor.start()
            except SensorError as error:
                print(f"a start failed: {error}", flush=True)
                self.counts["failed starts"] += 1
        raise SensorError("five starts failed, one after the other")

    def begin_loads(self):
        for kind in LOADS:
            place = self.directory / kind
            place.mkdir()
            with open(self.directory / f"{kind}.done", "wb") as done:
                self.loads[kind] = subprocess.Popen([sys.executable, HERE / "load.py", kind, place], stdin=subprocess.PIPE, stdout=done)

    def end_loads(self):
        for load in self.loads.values():
            load.stdin.close()
        for kind, load in self.loads.items():
            self.counts[f"exit of load {kind}"] = load.wait(timeout=600)
        for kind, name in NUMBERED.items():
            for line in (self.directory / f"{kind}.done").read_text().splitlines():
                self.judge.happened(name, *map(int, line.split()))

    def sample(self, begin):
        measured = self.sensor.measure()  # before the question, whose descriptor would be counted
        health = self.sensor.health()
        self.samples.append({"second": round(time.monotonic() - begin), "daemon": self.sensor.process.pid,
                             "provider": health["supplementary_events_subsystem"], **measured,
                             "written": health["events_written"], "lost": health["events_lost"]})

    def exclude(self):
        """Switches the exclusion of one folder on or off."""
        self.excluding = not self.excluding
        entries = [{"$type": "excludedPath", "isDirectory": True, "path": str(self.directory / "excluded"), "scopes": ["global"]}]
        document = {"exclusionSettings": {"exclusions": entries if self.excluding else []}}
        new = self.sensor.managed.with_suffix(".new")
        new.write_text(json.dumps(document))
        asked = now()
        os.rename(new, self.sensor.managed)
        while self.sensor.health()["exclusions"] != int(self.excluding):
            time.sleep(0.05)
        self.judge.exclusion_changed(self.excluding, asked, now())
        self.counts["exclusion changes"] += 1

    def fall(self):
        asked = now()
        self.expect(self.sensor.use_ebpf(False), "netlink")
        self.judge.files_unseen_from(asked)
        self.judge.taken_over(asked, now())
        self.counts["falls"] += 1

    def rise(self):
        asked = now()
        self.expect(self.sensor.use_ebpf(True), "ebpf")
        self.judge.files_seen_from(now())
        self.judge.taken_over(asked, now())

    def kill(self):
        """In the first half only. A second of nothing but the kernel side lies between the kill and the start."""
        if self.counts["kills"] >= 6:
            return
        asked = now()
        self.sensor.kill()
        time.sleep(1)
        self.start()
        self.judge.killed(asked, now())
        self.counts["kills"] += 1

    @staticmethod
    def expect(got, wanted):
        if got != wanted:
            raise SystemExit(f"error: the provider is {got}, not {wanted}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("daemon", type=pathlib.Path)
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="auditshift-soak-"))
    soak = None
    try:
        soak = Soak(options.daemon.resolve(), options.minutes, directory)
        verdict = soak.run()
    finally:
        if soak:
            for load in soak.loads.values():
                if load.poll() is None:
                    load.kill()
            soak.sensor.close()
        shutil.rmtree(directory, ignore_errors=True)
    verdict["host"] = {"kernel": platform.release(), "processors": os.cpu_count(), "load": os.getloadavg(), "minutes": options.minutes}
    print(json.dumps({name: value for name, value in verdict.items() if name != "acts"}, indent=2))
    if options.record:
        options.record.write_text(json.dumps({**verdict, "samples": soak.samples}, indent=1) + "\n")
    return 1 if verdict["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
