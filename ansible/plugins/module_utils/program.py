# SPDX-License-Identifier: Apache-2.0
"""Runs auditshift on a managed host and reads what it says: JSON on standard output, reasons on standard error."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import time

# What an exit code means is the same for every verb (docs/switching.md).
DONE = 0
FAILED = 1
BLOCKED = 2
REBOOT_NEEDED = 3
VERIFICATION_FAILED = 4
ROLLED_BACK = 5
ROLLBACK_INCOMPLETE = 6
BUSY = 75

#: States in which a transaction goes on before a new one can begin.
UNFINISHED = ("planned", "applying", "awaiting-reboot", "verifying", "rolling-back")

ARGUMENTS = dict(
    program=dict(type="str", default="auditshift"),
    agent=dict(type="str", default="auto", choices=["auto", "mdatp", "native"]),
    accept=dict(type="list", elements="str", default=[]),
    skip=dict(type="list", elements="str", default=[]),
)


class ProgramError(Exception):
    """The program could not be run, or said something that is not of its contract."""


class Answer(object):
    """One run of the program."""

    def __init__(self, code, output, errors):
        self.code = code
        self.errors = errors.strip()
        self.text = output
        try:
            self.document = json.loads(output)
        except ValueError:
            self.document = None

    def reason(self):
        """Why it did not do what it was asked for: its error lines, without what led there."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        first = [i for i, line in enumerate(lines) if line.startswith("error:")]
        if first:
            lines = lines[first[0]:]
        return "\n".join(lines) or "exit code %d, and no reason given" % self.code


class Program(object):
    """The program of one host, with the options that all its verbs share."""

    def __init__(self, module):
        self.module = module
        self.path = module.get_bin_path(module.params["program"])
        if self.path is None:
            raise ProgramError(
                "%s is not installed on this host; install its package, or name the program with `program`"
                % module.params["program"]
            )

    def run(self, verb, *arguments):
        """Runs a verb. Another run on the host is waited for, as long as the module's `wait` allows."""
        end = time.time() + (self.module.params.get("wait") or 0)
        while True:
            code, output, errors = self.module.run_command([self.path, "-q", verb] + list(arguments))
            if code != BUSY or time.time() >= end:
                return Answer(code, output, errors)
            time.sleep(2)

    def ask(self, verb, *arguments):
        """Runs a verb that answers with a JSON document, and must."""
        answer = self.run(verb, "--json=short", *arguments)
        if not isinstance(answer.document, dict):
            raise ProgramError("auditshift %s: %s" % (verb, answer.reason()))
        return answer

    def decisions(self):
        """--agent, --accept and --skip as the module's caller gave them."""
        arguments = ["--agent", self.module.params["agent"]]
        for identifier in self.module.params["accept"]:
            arguments += ["--accept", identifier]
        for identifier in self.module.params["skip"]:
            arguments += ["--skip", identifier]
        return arguments
