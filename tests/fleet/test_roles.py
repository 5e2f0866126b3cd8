# SPDX-License-Identifier: Apache-2.0
import re
import unittest

import lab
import yaml

CONDITIONS = ("when", "that", "until", "failed_when", "changed_when")

#: What the roles find out themselves, besides what their arguments say.
FOUND_OUT = {"switch_reboot_required", "rollback_reboot_required", "report_complete"}


def booleans():
    """The variables that are true or false."""
    known = set(FOUND_OUT)
    for file in (lab.SOURCE / "ansible/roles").glob("*/meta/argument_specs.yml"):
        options = yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"]
        known |= {name for name, option in options.items() if option["type"] == "bool"}
    return known


def expressions(node, condition=False):
    """What is evaluated in a file of tasks, without its literal texts."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from expressions(value, key in CONDITIONS)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value, condition)
    elif isinstance(node, str):
        for text in [node] if condition else re.findall(r"{{(.*?)}}", node, re.S):
            yield re.sub(r"'[^']*'", "''", text)


def taken_as_it_is(text, names):
    """The booleans of an expression that lack their filter."""
    return [name for name in re.findall(r"\b[a-z_]+\b(?!\s*\|\s*bool\b)", text) if name in names]


class Booleans(unittest.TestCase):
    """`-e name=false` and inventories make texts of what is true or false, and a text is true whatever it says."""

    def test_every_one_is_made_a_boolean_where_it_is_used(self):
        files = [*(lab.SOURCE / "ansible").glob("roles/*/tasks/*.yml"), *(lab.SOURCE / "ansible").glob("playbooks/*.yml")]
        names, used, bare = booleans(), set(), []
        for file in files:
            for text in expressions(yaml.safe_load(file.read_text())):
                used |= set(re.findall(r"\b[a-z_]+\b", text)) & names
                bare += [f"{file.relative_to(lab.SOURCE)}: {name} in: {text}" for name in taken_as_it_is(text, names)]
        self.assertEqual(bare, [], "each with `| bool`")
        self.assertEqual(names - used, set(), "each is seen by this test")

    def test_finds_one_without(self):
        tasks = yaml.safe_load("[{when: not a_flag, x: '{{ a_flag | bool }} or a_flag'}, {that: ['b_flag | bool', a_flag and b_flag]}]")
        found = [name for text in expressions(tasks) for name in taken_as_it_is(text, {"a_flag", "b_flag"})]
        self.assertEqual(found, ["a_flag", "a_flag", "b_flag"])
