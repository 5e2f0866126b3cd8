# SPDX-License-Identifier: Apache-2.0
"""Follows the sensor's output through its rotation, and keeps of each line what the soak test counts."""

import collections
import json
import os
import re
import threading
import time

NUMBERED = re.compile(rb"soak-(rename|program|excluded)-(\d+)-")
# What makes a line the event of a number, and not another one that names the same file.
ACTIONS = {b"rename": b'"action":"rename"', b"program": b'"action":"exec"', b"excluded": b'"action":"rename"'}


class Stream(threading.Thread):
    """REQUIRES: every file is kept until it was read (`missed_files` tells otherwise)."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.seen = {kind.decode(): collections.Counter() for kind in ACTIONS}
        self.nameless = {}  # pid → times (nanoseconds since boot) of the programs whose arguments nobody could read any more
        self.losses = []  # (cause, count, first, last), nanoseconds since boot
        self.lines = 0
        self.broken = 0  # lines that are no JSON, of those that were parsed
        self.files = 0
        self.missed_files = 0
        self._stop_when_read = threading.Event()

    def finish(self):
        """Reads to the end of what is there and returns."""
        self._stop_when_read.set()
        self.join()

    def run(self):
        current = None
        while True:
            last_round = self._stop_when_read.is_set()
            if current is None:
                if os.path.exists(self.path):
                    current = open(self.path, "rb")
                    self.files += 1
            else:
                following = self._after(current)
                # Once more: what came before the rotation was seen.
                self._read(current)
                for file in following:
                    current.close()
                    current = file
                    self.files += 1
                    self._read(current)
            if last_round:
                return
            time.sleep(0.2)

    def _after(self, current):
        """The files that were begun since `current`, oldest first, open."""
        while True:
            known = os.fstat(current.fileno()).st_ino
            opened = []
            number = 0
            found = False
            while True:
                name = self.path if number == 0 else f"{self.path}.{number}"
                try:
                    file = open(name, "rb")
                except FileNotFoundError:
                    break
                if os.fstat(file.fileno()).st_ino == known:
                    file.close()
                    found = True
                    break
                opened.append(file)
                number += 1
            # A rotation in the middle of this shows one file twice, or not the known one.
            inodes = [os.fstat(file.fileno()).st_ino for file in opened]
            if found and len(set(inodes)) == len(inodes):
                return reversed(opened)
            if not found and number > 2:
                self.missed_files += 1
                return reversed(opened)
            for file in opened:
                file.close()
            time.sleep(0.01)

    def _read(self, file):
        """Whole lines only: what a killed daemon left of one is cut off by the next."""
        while block := file.read(1 << 20):
            lines = block.split(b"\n")
            half = lines.pop()
            for line in lines:
                self._take(line)
            file.seek(-len(half), os.SEEK_CUR)
            if not lines:
                return

    def _take(self, line):
        self.lines += 1
        match = NUMBERED.search(line)
        if match and ACTIONS[match[1]] in line:
            self._parsed(line)
            self.seen[match[1].decode()][int(match[2])] += 1
        elif b'"args_unreadable":true' in line and b'"action":"exec"' in line:
            event = self._parsed(line)
            if event:
                self.nameless.setdefault(event["process"]["pid"], []).append(event["auditshift"]["boot_ns"])
        elif b'"action":"loss"' in line:
            loss = (self._parsed(line) or {}).get("auditshift", {}).get("loss")
            if loss:
                self.losses.append((loss["cause"], loss["count"], loss["first_ns"], loss["last_ns"]))

    def _parsed(self, line):
        try:
            return json.loads(line)
        except ValueError:
            self.broken += 1
            return None
