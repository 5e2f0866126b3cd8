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


#: systemctl of a host that boots: its unit is queued, then at work, then through. Or never, where it hangs.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/run/asked
case $(wc -l </run/asked) in
  1) printf 'SubState=dead\\nJob=77\\n' ;;
  2) printf 'SubState=start\\nJob=77\\n' ;;
  *) printf 'SubState=%s\\n' "$(cat /run/ends-as)" ;;
esac
"""

BOOTED = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: Wait
      ansible.builtin.include_role:
        name: auditshift.fleet.switch
        tasks_from: booted
"""


class BootUnit(lab.FleetTest):
    """What goes on after a reboot waits for the host's own boot unit, so that neither turns the other away."""

    def boot(self, host, ends_as, **variables):
        host.inside(f"rm -f /run/asked; echo {ends_as} >/run/ends-as")
        playbook = lab.FLEET / "controller/booted.yml"
        playbook.write_text(BOOTED)
        played = self.plays(str(playbook), **variables)
        return played, host.inside("cat /run/asked 2>/dev/null || true").splitlines()

    def test_goes_first_where_systemd_runs(self):
        (host,) = self.fleet("a")
        host.inside(f"cat >/usr/bin/systemctl <<'END'\n{SYSTEMCTL}END\nchmod 755 /usr/bin/systemctl")
        _, asked = self.boot(host, "dead")
        self.assertEqual(asked, [], "no systemd, no unit")
        host.inside("mkdir -p /run/systemd/system")
        for ends_as in ("dead", "failed", "exited"):
            _, asked = self.boot(host, ends_as)
            self.assertEqual(len(asked), 3, f"until it is {ends_as}")
            self.assertTrue(asked[0].endswith("auditshift-resume.service"), asked)
        played, asked = self.boot(host, "start", switch_wait=10)
        self.assertEqual(len(asked), 3, "not for ever")
        self.assertIn("the boot unit is not through after 10 seconds: SubState=start", played.output)
