#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: commands_test.py AUDITSHIFT SENSORD: every command of the pages.

Each command of auditshift and its sensor, in blocks and in code spans, is given to the real program by a user who may
change nothing: what its parser does not take ends with 64. Those that can run without harm then do run, on a sample host,
beside a sensor of their own, or over reports of the sample hosts, and what a page shows of their output is
compared (./dev golden writes it anew). A command that no line of WAYS knows fails. The pages that lead through a switch and
through a fleet are played whole by tests/fleet (test_guide.py, test_documentation.py).
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import pages  # noqa: E402

TOOL, SENSOR = (str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3])
UPDATE = "AUDITSHIFT_UPDATE_GOLDEN" in os.environ
HOSTS = pages.SOURCE / "tests/fixtures/hosts"
NOBODY = 65534
failed = []

# How the commands of blocks are run: the first line whose pattern is found at the begin decides.
#   host    on a captured sample host                     sensor  asks a sensor that runs for the test
#   files   in a directory with reports and rules files   plain   as it stands
#   parsed  by the parser alone; whole in tests/fleet/test_guide.py or tests/system
#   dev, cmake, ctest, file, shell   see the function of that name
WAYS = [
    (r"auditshift (-q )?(assess|plan|exclusions|rules list)\b", "host"),
    (r"auditshift (rules (check|normalize)|fleet)\b", "files"),
    (r"auditshift (health|events|diagnostic)\b", "sensor"),
    (r"auditshift (completion|--version)\b", "plain"),
    (r"auditshift (switch|verify|status|history|rollback|commit|resume|compare|config|collect)\b", "parsed"),
    (r"auditshift-sensord ", "parsed"),
    (r"\./dev\b", "dev"),
    (r"cmake ", "cmake"),
    (r"ctest ", "ctest"),
    (r"(build|tests)/\S+", "file"),
    (r"(sudo )?(systemctl|journalctl|apt(-get)?|dpkg|dnf|cut|ansible-playbook|ansible-galaxy|ansible-doc|auditctl|shutdown|install|scp|curl) ", "shell"),
]  # fmt: skip
# 0 done; 2 something found; 3 a reboot is needed: answers, not failures.
ANSWERS = {0, 2, 3}
# Stand-ins for what a page leaves open.
PLACES = {"FILE": "rules", "DIR": "reports", "DIRECTORY": "reports", "V": "enabled", "BUILD": "101.24072.0001", "S": "1", "N": "1",
          "SHELL": "bash", "ID": "HST007", "WORD": "assess", "F": "healthy", "P": "/srv", "E": "/usr/sbin/named", "SQL": "'SELECT 1'",
          "PATH": "/run/none", "KEY=VALUE": "kind=exec", "PRESET": "release", "SECONDS": "1", "SCENARIO": "package", "WINDOW": "02:00-04:00"}  # fmt: skip


def miss(place, why, output=""):
    failed.append(str(place))
    print(f"FAIL {place}: {why}\n{output}".rstrip(), flush=True)


def run(words, place, user=None, seconds=120, shell=False):
    environment = {**os.environ, "PATH": f"{WORK}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "100", "HOME": str(WORK)}
    drop = {"user": user, "group": user, "extra_groups": []} if user is not None and os.geteuid() == 0 else {}
    try:
        return subprocess.run(words, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False, timeout=seconds, shell=shell, **drop)  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", "it did not end")


def split(text):
    """Words, as the shell splits them."""
    if re.search(r"[|<>;&]", re.sub(r"'[^']*'|\"[^\"]*\"", "", text)):
        return text.split()
    return run(["bash", "-c", f"printf '%s\\0' {text}"], WORK / "open").stdout.split("\0")[:-1]


# -- what the commands find ------------------------------------------------------------------------------------------


def prepare():
    """WORK/bin: the programs; WORK/host: a sample host with a file for an exclusion; WORK/files: reports, a database, rules."""
    (WORK / "bin").mkdir()
    for program in (TOOL, SENSOR):
        (WORK / "bin" / pathlib.Path(program).name).symlink_to(program)
    (WORK / "open").mkdir(mode=0o777)  # where nobody may write
    (WORK / "open").chmod(0o777)
    shutil.copytree(HOSTS / "ubuntu-20.04-auditd-era", WORK / "host", symlinks=True)
    for name in ("usr/sbin/named", "srv/data/x"):
        (WORK / "host" / name).parent.mkdir(parents=True, exist_ok=True)
        (WORK / "host" / name).write_text("")
    reports = WORK / "files/reports"
    reports.mkdir(parents=True)
    for host in sorted(HOSTS.iterdir()):
        (reports / f"{host.name}.json").write_text(run([TOOL, "-q", "assess", "--root", str(host), "--json"], WORK).stdout)
    run([TOOL, "-q", "fleet", "ingest", "reports", "--db", "fleet.db"], WORK / "files")
    (WORK / "files/auditshift-reports").mkdir()
    (WORK / "files/auditshift-reports/assessments").symlink_to(reports)
    (WORK / "files/rules").write_text("-w /etc/passwd -p wa -k identity\n")


class Sensor:
    """A sensor on the process connector, for the verbs that ask one; None where it cannot run (it takes root)."""

    def __init__(self):
        self.socket = str(WORK / "socket")
        self.process = None
        if os.geteuid() != 0:
            print("the commands that ask a sensor are parsed only: a sensor takes root")
            return
        with open(WORK / "sensor.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [SENSOR, "--provider", "netlink", "--managed", str(WORK / "managed.json"), "--output", "none", "--socket", self.socket,
                 "--state", str(WORK / "state"), "--pin", ""], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 30
        while not pathlib.Path(self.socket).exists():
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit("error: the sensor did not start:\n" + (WORK / "sensor.log").read_text(encoding="utf-8"))
            time.sleep(0.1)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


# -- the ways --------------------------------------------------------------------------------------------------------


def parses(place, words, span=False):
    """By a user who may change nothing, in a directory of no worth. 64 is the parser's no."""
    words = [re.sub(r"^\d+$", "1", word) if words[index - 1] == "--time" else word for index, word in enumerate(words)]
    done = run(["timeout", "-s", "INT", "20", *words], WORK / "open", user=NOBODY)
    # Where the running text names a verb, with or without an option, it need not name all that this asks for.
    partial = span and re.search(r"^error: .*( is required|: 1 required \w+ missing)$", done.stderr, re.M)
    if (done.returncode == 64 and not partial) or done.returncode in (126, 127) or done.returncode < 0:
        miss(place, f"not accepted, exit {done.returncode}", done.stderr)
    return done


def parsed(command, words):
    return parses(command, words)


def host(command, words):
    words = words if "--root" in words else [*words, "--root", str(WORK / "host")]
    return answered(command, run(words, pages.SOURCE if "tests/fixtures" in command.text else WORK / "files"))


def files(command, words):
    known = {"reports/": "reports", "/var/tmp/fleet": "reports", "FILE": "rules"}
    return answered(command, run([known.get(word, word) for word in words], WORK / "files"))


def sensor(command, words):
    if SERVICE.process is None:
        return parses(command, words)
    words = [re.sub(r"^\d+$", "1", word) if words[index - 1] == "--time" else word for index, word in enumerate(words)]
    if "create" in words and "--path" not in words:
        words += ["--path", str(WORK / "bundles")]
    words += ["--socket", SERVICE.socket]
    if "--follow" not in words:
        return answered(command, run(words, WORK / "open"))
    return answered(command, run(["timeout", "-s", "INT", "2", *words], WORK / "open"), {0, 124, 130})


def plain(command, words):
    return answered(command, run(words, WORK / "open"), {0})


def answered(command, done, codes=None):
    if done.returncode not in (codes or ANSWERS):
        miss(command, f"exit {done.returncode}", done.stdout[-500:] + done.stderr[-1000:])
    return done


def dev(command, words):
    """Its commands are the labels of its last `case`."""
    known = re.findall(r"^  ([a-z-]+)\)$", (pages.SOURCE / "dev").read_text(encoding="utf-8"), re.M)
    if len(words) > 1 and words[1] not in known:
        miss(command, f"./dev knows only {known}")
    if words[1:2] == ["vm"]:
        scenarios = {file.stem.replace("_", "-") for file in (pages.SOURCE / "tests/vm/scenarios").glob("*.py")}
        unknown = {word for word in words[2:] if not word.startswith("--")} - scenarios - {"list", "quick", "[SCENARIO…]"}
        if unknown:
            miss(command, f"no such scenario: {unknown}")
    if words[1:2] == ["demo"] and len(words) > 2 and not (HOSTS / words[2]).is_dir():
        miss(command, "no such sample host")


def cmake(command, words):
    presets = json.loads((pages.SOURCE / "CMakePresets.json").read_text(encoding="utf-8"))
    if "--preset" in words and words[words.index("--preset") + 1] not in {preset["name"] for preset in presets["configurePresets"]}:
        miss(command, "no such preset")


def ctest(command, words):
    listed = run([*words, "-N"], BUILD)
    if not re.search(r"Total Tests: [1-9]", listed.stdout):
        miss(command, "no test of that name", listed.stdout)


def file(command, words):
    """A program of the tree, or of a build directory: then its target stands in the tree."""
    name = words[0]
    if name.startswith("tests/"):
        if not os.access(pages.SOURCE / name, os.X_OK):
            miss(command, f"{name} is not there, or cannot be run")
    elif not any(pathlib.Path(name).name in made.read_text(encoding="utf-8") for made in pages.SOURCE.glob("**/CMakeLists.txt")
                 if "build" not in made.relative_to(pages.SOURCE).parts):  # fmt: skip
        miss(command, f"no target {pathlib.Path(name).name}")


def shell(command, words):
    """Programs of others: the line is one that a shell reads."""
    done = run(["bash", "-n", "-c", command.text], WORK / "open")
    if done.returncode != 0:
        miss(command, "no shell can read it", done.stderr)


def check(command):
    text = re.sub(r"^(sudo |/usr/bin/time -v )", "", command.text)
    for pattern, way in WAYS:
        if re.match(pattern, text):
            break
    else:
        miss(command, "no line of WAYS says how to run it")
        return
    words = split(filled(text))
    done = globals()[way](command, words)
    if command.output and way in ("host", "files", "plain"):
        compare(command, done.stdout)


def compare(command, printed):
    """A line `…` of the page stands for lines that it leaves out, there or at the end."""
    wanted, there = command.output, printed.rstrip("\n").split("\n")
    cut = wanted.index("…") if "…" in wanted else len(wanted)
    matches = wanted[:cut] == there[:cut] if "…" in wanted else wanted == there
    if matches:
        return
    if not UPDATE:
        miss(command, "prints something else now (./dev golden writes it)", printed)
        return
    page = command.block.page
    new = there[:cut] + ["…"] if "…" in wanted else there
    content = page.read_text(encoding="utf-8")
    page.write_text(content.replace("\n".join(wanted), "\n".join(new), 1), encoding="utf-8")
    print(f"written anew: {command}")


# -- code spans ------------------------------------------------------------------------------------------------------


def filled(text):
    """What is optional is there, of a choice the first, and every open place has something in it."""
    text = re.sub(r"[\[\]]|…(?!/)", "", text)
    text = re.sub(r"(?<![\w|])([a-z-]+)(\|[a-z-]+)+", r"\1", text)
    return re.sub(r"(?<![\w/.])[A-Z]+(=VALUE)?(?![\w/.:])", lambda word: PLACES.get(word[0], word[0]), text)


def check_span(page, line, code):
    place = f"{page.relative_to(pages.SOURCE)}:{line}: {code}"
    command = pages.Command(pages.Block(page, line, "sh", []), line, code, [])
    if re.match(r"auditshift(-sensord)? \S", code):
        parses(place, split(filled(code)), span=True)
    elif code.split()[0] in VERBS and " --" in code:  # tables of verbs leave the program's name out
        parses(place, ["auditshift", *split(filled(code))], span=True)
    elif code.startswith("./dev"):
        dev(command, code.split())
    elif code.startswith("ctest "):
        ctest(command, split(code))
    elif code.startswith("cmake "):
        cmake(command, code.split())
    else:
        return 0
    return 1


def main():
    count = 0
    for page in pages.pages():
        for block in pages.blocks(page):
            if block.language not in pages.COMMANDS:
                if not block.language:
                    miss(block, "this fence does not say what it holds (sh, console, text, json, …)")
                continue
            for command in pages.commands(block):
                check(command)
                count += 1
        if re.search(r"^ {4}(\$ )?(auditshift|\./dev|sudo|systemctl) ", pages.prose(page), re.M):
            miss(page, "commands stand in fences, not indented, so that they are found")
        for line, code in pages.spans(page):
            count += check_span(page, line, code)
    if count < 100:
        miss("all pages", f"only {count} commands found: is the reader of pages broken?")
    print(f"{count} commands, {len(failed)} failed")
    return 1 if failed else 0


with tempfile.TemporaryDirectory(prefix="auditshift-docs-") as directory:
    WORK = pathlib.Path(directory)
    WORK.chmod(0o755)
    BUILD = pathlib.Path(TOOL).parents[1]
    prepare()
    VERBS = set(re.findall(r"^  ([a-z]+) ", run([TOOL, "--help"], WORK).stdout.partition("\nSubcommands:\n")[2], re.M))
    SERVICE = Sensor()
    try:
        code = main()
    finally:
        SERVICE.stop()
sys.exit(code)
