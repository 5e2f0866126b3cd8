#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: completion_test.py AUDITSHIFT: completes command lines in bash, zsh and fish, as a person at a terminal does.

Each shell runs on a terminal of its own, loads what `auditshift completion` prints, and gets a command line with a tab
at its end. A key that the test binds writes down what the line became, and clears it.
"""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

TOOL = pathlib.Path(sys.argv[1]).resolve()
SECONDS = 60
# What is typed, with a tab at its end; what the line is then. {d} is a directory that holds rules.d and one file.
CASES = [
    ("auditshift rul", "auditshift rules "),
    ("auditshift rules ch", "auditshift rules check "),
    ("auditshift completion f", "auditshift completion fish "),
    ("auditshift assess --log-d", "auditshift assess --log-days "),
    ("auditshift assess --no-co", "auditshift assess --no-color "),
    ("auditshift assess --format pr", "auditshift assess --format prom "),
    ("auditshift assess --format=ht", "auditshift assess --format=html "),
    ("auditshift assess --skip HST00", "auditshift assess --skip HST00"),  # several: the line stays
    ("auditshift --quiet diagnostic cr", "auditshift --quiet diagnostic create "),
    ("auditshift exclusions add fol", "auditshift exclusions add folder "),
    ("auditshift rules check {d}/only-", "auditshift rules check {d}/only-one.rules "),
    ("auditshift assess --root {d}/rul", "auditshift assess --root {d}/rules.d/"),
]

BASH = """source <({tool} completion bash)
save() {{ printf %s "$READLINE_LINE" > {d}/line.new && mv {d}/line.new {d}/line; READLINE_LINE=; READLINE_POINT=0; }}
bind 'set bell-style none'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind -x '"\\C-g": save'
PS1='ready> '
"""
ZSH = """autoload -Uz compinit && compinit -u -d {d}/zcompdump
source <({tool} completion zsh)
save() {{ printf %s "$BUFFER" > {d}/line.new && mv {d}/line.new {d}/line; BUFFER= }}
zle -N save
bindkey '^G' save
setopt no_beep no_list_beep
LISTMAX=10000
PS1='ready> '
"""
FISH = """{tool} completion fish | source
function save; commandline > {d}/line.new; mv {d}/line.new {d}/line; commandline ''; end
function fish_prompt; echo 'ready> '; end
function fish_greeting; end
bind \\cg save
"""
SHELLS = {
    "bash": (BASH, lambda script: ["bash", "--noprofile", "--rcfile", script, "-i"]),
    "zsh": (ZSH, lambda script: ["zsh", "-f", "-i", "-o", "no_rcs"]),
    "fish": (FISH, lambda script: ["fish", "--no-config", "-i", "-C", f"source {script}"]),
}


class Terminal:
    """A shell on a terminal."""

    def __init__(self, command, environment, directory):
        self.shown = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, environment)

    def type(self, text):
        os.write(self._fd, text.encode())

    def read_until(self, done, seconds=SECONDS):
        """Shows what comes until done() says so; whether it did."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if done():
                return True
            ready, _, _ = select.select([self._fd], [], [], 0.05)
            if ready:
                try:
                    data = os.read(self._fd, 4096)
                except OSError:
                    return done()
                self.shown += data
                # What terminals answer when they are asked who they are, and where the cursor is.
                if b"\x1b[c" in data or b"\x1b[0c" in data:
                    self.type("\x1b[?1;2c")
                if b"\x1b[6n" in data:
                    self.type("\x1b[1;1R")
        return False

    def close(self):
        os.close(self._fd)
        try:
            os.kill(self.pid, 9)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)


def run_shell(name, directory):
    """Lines of what failed."""
    script_text, command = SHELLS[name]
    script = directory / f"setup.{name}"
    script.write_text(script_text.format(tool=TOOL, d=directory), encoding="utf-8")
    environment = {
        "PATH": f"{directory}/bin:/usr/bin:/bin", "HOME": str(directory), "TERM": "vt100", "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": f"{directory}/config", "XDG_DATA_HOME": f"{directory}/data", "COLUMNS": "200", "LINES": "50",
    }  # fmt: skip
    line = directory / "line"
    terminal = Terminal(command(str(script)), environment, directory)
    try:
        if name == "zsh":
            terminal.type(f"source {script}\n")
        if not terminal.read_until(lambda: b"ready> " in terminal.shown):
            return [f"{name}: no prompt within {SECONDS} seconds: {terminal.shown!r}"]
        failed = []
        for typed, wanted in ((one.format(d=directory), two.format(d=directory)) for one, two in CASES):
            line.unlink(missing_ok=True)
            terminal.type(typed + "\t")
            # The key is read after the completion, which the shell does not interrupt.
            found = complete_line(terminal, line)
            if found != wanted:
                failed.append(f"{name}: {typed}<tab>: found {found!r}, wanted {wanted!r}")
        return failed
    finally:
        terminal.close()


def complete_line(terminal, line):
    terminal.type("\x07")
    if not terminal.read_until(line.exists):
        return f"nothing: {terminal.shown[-300:]!r}"
    # fish ends the line with a newline.
    return line.read_text(encoding="utf-8").removesuffix("\n")


def main():
    failed, missing = [], []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for made in ("bin", "rules.d", "config", "data"):
            (directory / made).mkdir()
        (directory / "only-one.rules").touch()
        (directory / "bin/auditshift").symlink_to(TOOL)
        for shell in SHELLS:
            if not shutil.which(shell):
                missing.append(shell)
                continue
            if shell != "fish":  # fish checks while it reads
                script = subprocess.run([TOOL, "completion", shell], stdout=subprocess.PIPE, check=True).stdout
                subprocess.run([shell, "-n"], input=script, check=True)
            failed += run_shell(shell, directory)
    print("\n".join(failed))
    if missing:
        print(f"skipped: not installed: {', '.join(missing)} (./dev setup)")
        return 1 if failed else 77
    print(f"{len(CASES)} lines in {len(SHELLS)} shells, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
