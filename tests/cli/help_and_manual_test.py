#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: help_and_manual_test.py AUDITSHIFT SENSORD: --help and manual pages of every verb.

What the pages must say is taken from --help, verb by verb: every option of every verb is on its page. The pages are
given to man itself, which must have nothing to say about them.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOOL, SENSOR = sys.argv[1:3]
failed = 0


def that(holds, what, detail=""):
    global failed
    if not holds:
        failed += 1
        print(f"FAIL {what}: {detail}")


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    that(done.returncode == 0, " ".join(command), done.stderr)
    return done.stdout


def verbs_of(text):
    """The verbs that a --help lists."""
    listed = text.partition("\nSubcommands:\n")[2]
    return re.findall(r"^  ([a-z][a-z-]+) ", listed, re.M)


def options_of(text):
    return set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text.partition("\nOptions:\n")[2], re.M))


def helps(program, name, path=()):
    """(verbs, --help) of the program and of every verb below it."""
    text = output(program, *path, "--help")
    yield path, text
    for verb in verbs_of(text):
        yield from helps(program, name, (*path, verb))


def examples_first(name, path, text):
    words = " ".join((name, *path))
    before = text.partition("\nUsage: ")[0]
    examples = [line for line in before.splitlines() if line.startswith("  ")]
    that(any(line.strip().startswith((words, "systemctl", "source")) for line in examples), f"{words} --help begins with an example", text)
    that(f"\nUsage: {words} " in text, f"{words} --help tells how it is called", text)


def page_says(pages, path, options):
    page = "-".join(("auditshift", *path[:1]))
    text = pages.get(page)
    that(text is not None, f"there is a page {page}")
    for option in options:
        that(option in (text or ""), f"{page}(8) tells of {' '.join(path)} {option}")
    if len(path) > 1:
        that("auditshift " + " ".join(path) in (text or ""), f"{page}(8) has a section of {' '.join(path)}")


def without_complaint(file):
    """Rendered, as man and groff show it."""
    shown = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file], capture_output=True, text=True, check=False,
        env={"LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    that(shown.returncode == 0 and not shown.stderr, f"man has nothing to say about {file.name}", shown.stderr)
    named = subprocess.run(["lexgrog", file], capture_output=True, text=True, check=False)
    that(named.returncode == 0, f"apropos can read {file.name}", named.stdout + named.stderr)
    plain = subprocess.run(["man", "-l", file], capture_output=True, text=True, check=False,
                           env={"LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANWIDTH": "200", "PATH": "/usr/bin:/bin"})  # fmt: skip
    return re.sub(r".\x08", "", plain.stdout)


def main():
    if not shutil.which("man") or not shutil.which("groff"):
        print("skipped: man-db and groff are not installed (./dev setup)")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        output(TOOL, "manual", directory)
        (place / "auditshift-sensord.8").write_text(output(SENSOR, "--manual"), encoding="utf-8")
        pages = {file.stem: without_complaint(file) for file in sorted(place.glob("*.8"))}
    for path, text in helps(TOOL, "auditshift"):
        examples_first("auditshift", path, text)
        page_says(pages, path, options_of(text))
    text = output(SENSOR, "--help")
    examples_first("auditshift-sensord", (), text)
    page_says(pages, ("sensord",), options_of(text))
    that(len(pages) == len(verbs_of(output(TOOL, "--help"))) + 2, "no page but those of verbs", sorted(pages))
    print(f"{len(pages)} pages, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
