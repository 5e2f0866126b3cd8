#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: run.py [--build DIRECTORY] [--package FILE.deb] [--quick] [list | SCENARIO…]: runs the scenarios in virtual machines.

Without a name all of them; with --quick those that say QUICK, each in its short form. Exit: 0 all
passed, 1 something failed, 64 usage.
"""

import argparse
import concurrent.futures
import contextlib
import filecmp
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # no __pycache__ in the source tree
sys.path.insert(0, str(HERE))

from lab import STORE, Lab  # noqa: E402
from machine import MachineError  # noqa: E402


def scenarios():
    """Name → module, in the order of the names."""
    files = sorted((HERE / "scenarios").glob("[a-z]*.py"))
    return {file.stem.replace("_", "-"): importlib.import_module(f"scenarios.{file.stem}") for file in files}


def summary(module):
    return module.__doc__.strip().splitlines()[0]


def run_one(name, module, payload, build, shelf, quick, lines=None):
    """With `lines` nothing is printed: what would be is there."""
    lab, started = Lab(name, payload, build, shelf, quick, lines), time.monotonic()
    lab.say(f"{name}: {summary(module)}")
    try:
        module.run(lab)
    except MachineError as error:
        lab.failure(error)
    except Exception:  # such as an answer that is not what it should be; the others still run
        lab.failure(traceback.format_exc())
    lab.say(f"  {time.monotonic() - started:.0f} s, {lab.cpu_seconds:.0f} s of the processors")
    return lab


def run_all(names, known, payload, build, shelf, quick):
    """A Lab of each, all at a time as far as there may be machines; those that take longest (LONG) begin. What one found is
    printed when it is over, or as it goes on if it is the only one."""
    arguments = (payload, build, shelf, quick)
    if len(names) == 1:
        return [run_one(names[0], known[names[0]], *arguments)]

    def call(name):
        lines = []
        lab = run_one(name, known[name], *arguments, lines)
        print("\n".join(lines), flush=True)
        return lab

    order = sorted(names, key=lambda name: not getattr(known[name], "LONG", False))
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        running = {name: pool.submit(call, name) for name in order}
        return [running[name].result() for name in names]


@contextlib.contextmanager
def shelf_of_run(build, package):
    """A directory with the programs, for the frozen machines of the run. With AUDITSHIFT_VM_SHELF it stays, and its
    machines are used again as long as the programs are the same. Other runs may share the store, but no shelf."""
    kept = os.environ.get("AUDITSHIFT_VM_SHELF")
    with tempfile.TemporaryDirectory(prefix="run-", dir=STORE) as new:
        payload = pathlib.Path(new) / "payload.tar"
        subprocess.run([HERE / "payload.sh", build, payload, *filter(None, [package])], check=True)
        if not kept:
            yield new
            return
        before = pathlib.Path(kept) / "payload.tar"
        if not before.exists() or not filecmp.cmp(before, payload, shallow=False):
            shutil.rmtree(kept, ignore_errors=True)
            pathlib.Path(kept).mkdir(parents=True)
            shutil.move(payload, before)
        yield kept


def main():
    known = scenarios()
    options = argparse.ArgumentParser(description="Runs scenarios in virtual machines.")
    options.add_argument("--build", default=HERE.parent.parent / "build/debug", help="what to take the programs from")
    options.add_argument("--quick", action="store_true", help="a short form of the most important ones")
    options.add_argument("--package", help="install this package of the project, not copies of the programs")
    options.add_argument("names", nargs="*", metavar="SCENARIO", help="'list' shows them; default all")
    chosen = options.parse_args()
    if chosen.names == ["list"]:
        for name, module in known.items():
            print(f"{name:18} {summary(module)}")
        return 0
    for name in chosen.names:
        if name not in known:
            print(f"error: no such scenario: {name} (there are: {', '.join(known)})", file=sys.stderr)
            return 64
    STORE.mkdir(parents=True, exist_ok=True)
    names = chosen.names or [name for name in known if getattr(known[name], "QUICK", False) or not chosen.quick]
    build, started = pathlib.Path(chosen.build).resolve(), time.monotonic()
    with shelf_of_run(build, chosen.package) as shelf:
        payload = pathlib.Path(shelf) / "payload.tar"
        labs = run_all(names, known, payload, build, shelf, chosen.quick)
    failed = sum(lab.failed for lab in labs)
    for name, lab in zip(names, labs):
        if lab.failed:
            print(f"failed: ./dev vm {name} (logs: {STORE / 'failed' / name})", file=sys.stderr)
    minutes, cpu_minutes = (time.monotonic() - started) / 60, sum(lab.cpu_seconds for lab in labs) / 60
    print(f"{minutes:.0f} minutes, {cpu_minutes:.0f} CPU minutes of QEMU")
    print(f"{sum(lab.passed for lab in labs)} passed, {failed} failed, {sum(lab.skipped for lab in labs)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
