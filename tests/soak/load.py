# SPDX-License-Identifier: Apache-2.0
"""The mixed load of the soak test: one process each for what cannot be told apart and what is numbered.

usage: load.py KIND DIRECTORY: works in DIRECTORY until its standard input ends.

The kinds `files`, `processes`, `sockets` make events that are not looked for. The kinds `renames`, `programs` and `excluded` number
theirs and write to standard output, per number, a line "NUMBER BEGIN END" in nanoseconds since boot.
"""

import os
import select
import socket
import subprocess
import sys
import time

PAUSE = 0.02  # between two rounds of a kind: load, but not all of the machine


def stopped():
    """Whether whoever started this has closed its end."""
    return bool(select.select([0], [], [], 0)[0])


def numbered(action):
    """Runs action(number) from 1 on, and tells when."""
    number = 0
    while not stopped():
        number += 1
        begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        pid = action(number)
        end = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        sys.stdout.write(f"{number} {begin} {end} {pid}\n")
        sys.stdout.flush()
        time.sleep(PAUSE)


def files(directory):
    path, other, link = (os.path.join(directory, name) for name in ("file", "other", "link"))
    while not stopped():
        for _ in range(10):
            with open(path, "w", encoding="ascii") as stream:
                stream.write("x")
            os.chmod(path, 0o600)
            os.rename(path, other)
            os.symlink(other, link)
            os.unlink(link)
            os.unlink(other)
        time.sleep(PAUSE)


def processes(_directory):
    while not stopped():
        children = [os.posix_spawn("/bin/true", ["/bin/true"], {}) for _ in range(3)]
        for _ in range(3):
            child = os.fork()
            if child == 0:
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        time.sleep(PAUSE * 3)


def sockets(_directory):
    with socket.create_server(("127.0.0.1", 0)) as server:
        while not stopped():
            for _ in range(5):
                with socket.create_connection(server.getsockname()) as client:
                    accepted, _ = server.accept()
                    accepted.close()
                    client.close()
            time.sleep(PAUSE)


def rename(directory, name):
    path = os.path.join(directory, "begin")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.rename(path, os.path.join(directory, name))
    os.unlink(os.path.join(directory, name))
    return os.getpid()


def renames(directory):
    numbered(lambda number: rename(directory, f"soak-rename-{number}-"))


def excluded(directory):
    numbered(lambda number: rename(directory, f"soak-excluded-{number}-"))


def programs(_directory):
    """Each lives until twenty later ones run, so that a provider that asks /proc finds it, unless it is busy with something else."""
    alive = []

    def start(number):
        alive.append(subprocess.Popen(["/bin/cat", "--", "-", f"soak-program-{number}-"],
                                      stdin=subprocess.PIPE, stderr=subprocess.DEVNULL))
        if len(alive) > 20:
            oldest = alive.pop(0)
            oldest.stdin.close()
            oldest.wait()
        return alive[-1].pid

    numbered(start)
    for program in alive:
        program.stdin.close()
        program.wait()


if __name__ == "__main__":
    {"files": files, "processes": processes, "sockets": sockets, "renames": renames, "programs": programs,
     "excluded": excluded}[sys.argv[1]](sys.argv[2])
