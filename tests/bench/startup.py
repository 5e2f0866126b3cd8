#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: startup.py [BUILD [ROUNDS]]: how large the programs are and how long they take to start (default build/release, 15).

CPU time and time on the wall, medians. Of the sensor: until it answers `health`. As root; else what needs root is left out.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else SOURCE / "build/release").resolve()
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 15
TOOL, SENSOR = BUILD / "cli/auditshift", BUILD / "cli/auditshift-sensord"


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(what, once, rounds=ROUNDS):
    cpu, wall = [], []
    for _ in range(rounds):
        cpu_before, before = cpu_seconds(), time.monotonic()
        wall_end = once()
        wall.append((wall_end or time.monotonic()) - before)
        cpu.append(cpu_seconds() - cpu_before)
    print(f"{what:<52} {statistics.median(cpu) * 1000:8.1f} ms CPU {statistics.median(wall) * 1000:8.1f} ms", flush=True)


def program(*words):
    return lambda: subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False) and None


def sensor(provider):
    """Starts it, asks until it answers, stops it; the time of the answer. The CPU time has that of asking in it."""

    def once():
        with tempfile.TemporaryDirectory() as place:
            process = subprocess.Popen(
                [SENSOR, "-q", "--provider", provider, "--managed", f"{place}/managed.json", "--output", "none", "--socket", f"{place}/socket",
                 "--state", f"{place}/state", "--pin", ""], stderr=subprocess.DEVNULL,
            )  # fmt: skip
            end = time.monotonic() + 60
            while not os.path.exists(f"{place}/socket"):
                if process.poll() is not None or time.monotonic() > end:
                    sys.exit(f"error: the sensor does not start with {provider}")
                time.sleep(0.002)
            subprocess.run([TOOL, "-q", "health", "--socket", f"{place}/socket"], stdout=subprocess.DEVNULL, check=False)
            answered = time.monotonic()
            process.terminate()
            process.wait()
        return answered

    return once


def main():
    for name in (TOOL, SENSOR):
        with tempfile.NamedTemporaryFile() as stripped:
            subprocess.run(["strip", "-o", stripped.name, name], check=True)
            print(f"{name.name}: {os.path.getsize(stripped.name) / 2**20:.2f} MiB without symbols, {os.path.getsize(name) / 2**20:.1f} MiB with")
    measured("/bin/true", program("/bin/true"))
    measured("auditshift --version", program(TOOL, "--version"))
    sample = SOURCE / "tests/fixtures/hosts/rhel-8-immutable-cis"
    measured("auditshift assess, a sample host", program(TOOL, "-q", "assess", "--root", sample))
    if os.geteuid() != 0:
        return
    measured("auditshift assess, this host (tries eBPF)", program(TOOL, "-q", "assess"))
    measured("auditshift-sensord, netlink, until it answers", sensor("netlink"))
    measured("auditshift-sensord, ebpf, until it answers", sensor("ebpf"))


main()
