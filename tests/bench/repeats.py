#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: repeats.py EVENTS: how many events of a file in format raw say the same as the one before of their thread.

Times, results and addresses in memory do not count. That is what folding repeats into one event could spare.
"""

import collections
import json
import sys

OF_ONE_CALL = {"sequence", "boot_ns", "wall_ns", "cpu", "result", "arguments", "descriptor"}


def content(value):
    if isinstance(value, dict):
        return {name: content(part) for name, part in value.items() if name not in OF_ONE_CALL}
    return value


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    last, repeats, events = {}, collections.Counter(), 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            process = event.get("process", {})
            thread, now = process.get("tid", process.get("pid")), content(event)
            events += 1
            repeats[(process.get("comm"), event["kind"])] += last.get(thread) == now
            last[thread] = now
    print(f"{events} events, {repeats.total()} say what the one before said")
    for (name, kind), count in repeats.most_common(5):
        if count:
            print(f"{count} {kind} of {name}")


if __name__ == "__main__":
    main()
