#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: auditshift
short_description: Switches a host from auditd to eBPF, brings it back, or keeps the switch
version_added: 1.0.0
description:
  - Runs C(auditshift switch), C(rollback), C(commit) or C(resume) on the host and reads its JSON and exit code.
  - What is there already is left alone. A transaction that a crash, a lost connection or a reboot cut off goes on.
  - Never reboots by itself. With C(reboot) the host arranges its own reboot; else see C(reboot_required) in the result.
options:
  state:
    description:
      - C(switched) takes the host to eBPF, and verifies it. Rolled back by the program, and failed, when that does not hold.
      - C(rolled_back) brings the host back to where it was before the switch. Open until it is committed.
      - C(committed) keeps the switch. The way back is given up.
      - C(resumed) goes on with what a reboot or a crash cut off, and begins nothing. For after a reboot.
    type: str
    choices: [switched, rolled_back, committed, resumed]
    default: switched
  program:
    description: The program, by name or path.
    type: str
    default: auditshift
  agent:
    description: Which endpoint agent to switch.
    type: str
    choices: [auto, mdatp, native]
    default: auto
  accept:
    description: Findings and exclusions that are accepted, by id. With I(to_build) what its warnings name.
    type: list
    elements: str
    default: []
  skip:
    description: Checks to leave out, by id.
    type: list
    elements: str
    default: []
  remove_leftovers:
    description: Whether to also remove Defender's files that no loader reads, and its plugin's file.
    type: bool
    default: false
  reboot:
    description:
      - When the host reboots by itself, if it must, in its own local time. C(never), C(now), C(+MIN), C(HH:MM), or a window such
        as C(Sat 02:00-04:00).
    type: str
    default: never
  to_build:
    description: With I(state=rolled_back), the build of Defender to install and keep then.
    type: str
  wait:
    description: How many seconds to wait while another run works on the host, such as the boot unit after a reboot.
    type: int
    default: 300
requirements:
  - auditshift on the host
attributes:
  check_mode:
    description: Says what would change (C(auditshift plan)), changes nothing.
    support: full
  diff_mode:
    description: Shows what each step of a switch changes. That may be the content of files that not everybody may read.
    support: full
author:
  - The auditshift authors (@auditshift)
seealso:
  - module: auditshift.fleet.auditshift_info
"""

EXAMPLES = r"""
- name: Switch this host, accepting one finding
  auditshift.fleet.auditshift:
    accept: [HST007]
  become: true
  register: switch

- name: Reboot, where audit is locked
  ansible.builtin.reboot:
  become: true
  when: switch.reboot_required

- name: Go on after the boot, if the host has not done so itself
  auditshift.fleet.auditshift:
    state: resumed
  become: true

- name: Back to where it was
  auditshift.fleet.auditshift:
    state: rolled_back
  become: true
"""

RETURN = r"""
state:
  description: State of the host's transaction afterwards, C(switched) and its like.
  type: str
  returned: when the program could be asked
outcome:
  description: How the run ended, C(done), C(reboot-needed), C(rolled-back) and their like. Empty when nothing was to do.
  type: str
  returned: when the program could be asked
exit_code:
  description: The program's exit code.
  type: int
  returned: when the program could be asked
reboot_required:
  description: Whether the host must boot again to go on.
  type: bool
  returned: always
transaction:
  description: The id of the host's transaction.
  type: str
  returned: when the program could be asked
steps:
  description: In check mode, what a switch would do, by id of the step and its kind.
  type: list
  elements: dict
  returned: in check mode
reasons:
  description: Why the host cannot be switched as it is, or what its newest verification found wrong. One sentence each.
  type: list
  elements: str
  returned: when the program could be asked
next:
  description: What the program says is next.
  type: str
  returned: when the program could be asked
verification:
  description: The checks of the newest verification, each with C(id), C(ok) and C(text).
  type: dict
  returned: when there was one
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.auditshift.fleet.plugins.module_utils import program as contract


class Run(object):
    """One run of this module: looks, decides, acts, looks again."""

    def __init__(self, module):
        self.module = module
        self.wanted = module.params["state"]
        self.program = contract.Program(module)
        self.result = dict(changed=False, reboot_required=False, outcome="", exit_code=0)
        self.before = self.look()

    def look(self):
        status = self.program.ask("status").document
        for key in ("state", "transaction", "next", "verification"):
            self.result[key] = status[key]
        self.result["reboot_required"] = status["state"] == "awaiting-reboot"
        self.result["reasons"] = [check["text"] for check in (status["verification"] or {}).get("checks", []) if not check["ok"]]
        return status

    def fail(self, message):
        self.module.fail_json(msg=message, **self.result)

    def done(self):
        self.module.exit_json(**self.result)

    def needs_person(self):
        self.fail(
            "a person is needed on this host: %s; next: %s"
            % (self.before["message"] or "its last change failed", self.before["next"])
        )

    def go(self):
        if self.before["state"] == "failed" and self.wanted != "rolled_back":
            self.needs_person()
        getattr(self, self.wanted)()

    # -- what is wanted ------------------------------------------------------------------------------------------

    def switched(self):
        if self.before["rolling_back"]:
            self.fail("a rollback is under way on this host; finish it first: %s" % self.before["next"])
        if self.before["state"] in contract.UNFINISHED:
            self.show_unfinished()
            arguments = []
        else:
            arguments = self.plan()
        self.change("switch", arguments + ["--reboot", self.module.params["reboot"]])

    def rolled_back(self):
        build = self.module.params["to_build"]
        back_already = self.before["state"] in ("idle", "rolled-back")
        if back_already and not build:
            self.done()
        if self.before["state"] == "committed" and not build:
            self.fail("this switch was committed, its way back is gone; to_build names a build to go down to")
        if self.module.check_mode:
            self.result["changed"] = not self.waits_for_boot() and not (back_already and self.installed(build))
        self.show(dict(before=self.line(self.before["state"]), after=self.line("rolled-back")))
        arguments = ["--reboot", self.module.params["reboot"]]
        if build:
            arguments += ["--to-build", build]
            for identifier in self.module.params["accept"]:
                arguments += ["--accept", identifier]
        self.change("rollback", arguments)

    def committed(self):
        state = self.before["state"]
        if state == "committed":
            self.done()
        if state in ("idle", "rolled-back"):
            if self.planned().document.get("steps") == []:  # on eBPF without a switch of this program
                self.done()
            self.fail("nothing to commit: this host is not switched, its state is %s" % state)
        if state != "switched":
            self.fail("this host cannot be committed, its state is %s; next: %s" % (state, self.before["next"]))
        self.result["changed"] = True
        self.show(dict(before=self.line(state), after=self.line("committed")))
        self.change("commit", [])

    def resumed(self):
        if self.before["state"] not in contract.UNFINISHED:
            self.done()
        self.show_unfinished()
        self.change("resume", [])

    # -- how -----------------------------------------------------------------------------------------------------

    def decisions(self):
        leftovers = ["--remove-leftovers"] if self.module.params["remove_leftovers"] else []
        return self.program.decisions() + leftovers

    def planned(self):
        return self.program.ask("plan", *self.decisions())

    def plan(self):
        """Ends the module when nothing is to do, or a person is to decide; else the options of the switch."""
        plan = self.planned().document
        if "refusals" in plan:
            self.result["reasons"] = plan["refusals"]
            self.result["exit_code"] = contract.BLOCKED
            self.fail("this host cannot be switched as it is, a person decides: %s" % "; ".join(plan["refusals"]))
        steps = [dict(id=step["id"], type=step["type"]) for step in plan["steps"]]
        if self.module.check_mode:
            self.result["steps"] = steps
            self.result["reboot_required"] = bool(steps) and plan["reboot"]
        if not steps:
            self.done()
        self.result["changed"] = True
        if self.module._diff:
            self.show(dict(prepared=self.program.run("plan", "--diff", *self.decisions()).text))
        return self.decisions()

    def waits_for_boot(self):
        return self.before["state"] == "awaiting-reboot"

    def installed(self, build):
        """Whether that build is what the host has."""
        if not build:
            return True
        agent = self.program.ask("assess", "--log-days", "0").document["agent"]
        return agent.get("version") == build

    def line(self, state):
        return "state: %s\n" % state

    def show(self, diff):
        if self.module._diff:
            self.result["diff"] = diff

    def show_unfinished(self):
        """What goes on changes the host, unless it only waits for its boot."""
        self.result["changed"] = not self.waits_for_boot()
        left = [step["id"] for step in self.before["steps"] if not step["done"]]
        self.show(dict(prepared="unfinished: %s; steps left: %s\n" % (self.before["state"], ", ".join(left) or "none")))

    def change(self, verb, arguments):
        if self.module.check_mode:
            self.done()
        answer = self.program.run(verb, "--json=short", *(self.yes(verb) + arguments))
        self.result["exit_code"] = answer.code
        after = self.look()
        self.result["changed"] = self.told_apart(self.before) != self.told_apart(after)
        if isinstance(answer.document, dict):
            self.result["outcome"] = answer.document["outcome"]
        message = answer.document["message"] if isinstance(answer.document, dict) else answer.reason()
        if answer.code == contract.REBOOT_NEEDED:
            self.result["reboot_required"] = True
        elif answer.code != contract.DONE:
            self.fail(self.failure(verb, answer.code, message))
        self.hold_against(after, message)
        self.done()

    def yes(self, verb):
        return ["--yes"] if verb != "resume" else []

    def told_apart(self, status):
        """Another transaction, or another state, is a change; a boot that is still waited for is none."""
        return (status["transaction"], status["state"], [step["done"] for step in status["steps"]])

    def hold_against(self, after, message):
        """Done is not enough: it may have ended in the other direction."""
        forward = self.wanted in ("switched", "resumed") and not self.before["rolling_back"]
        if forward and (after["rolling_back"] or after["state"] == "rolled-back"):
            why = "; ".join(self.result["reasons"]) or after["message"] or message
            self.fail("the switch did not hold and is rolled back: %s" % why)

    def failure(self, verb, code, message):
        if code == contract.BLOCKED:
            return "a person is needed, %s was refused: %s" % (verb, message)
        if code == contract.VERIFICATION_FAILED:
            return "verification failed, the host was left on the new state: %s" % message
        if code == contract.ROLLED_BACK:
            return "it failed and was rolled back cleanly: %s" % message
        if code == contract.ROLLBACK_INCOMPLETE:
            return "the rollback is incomplete, a person is needed: %s" % message
        if code == contract.BUSY:
            return "another run works on this host for more than %d seconds: %s" % (self.module.params["wait"], message)
        return "auditshift %s failed (exit code %d): %s" % (verb, code, message)


def main():
    arguments = dict(
        contract.ARGUMENTS,
        state=dict(type="str", default="switched", choices=["switched", "rolled_back", "committed", "resumed"]),
        remove_leftovers=dict(type="bool", default=False),
        reboot=dict(type="str", default="never"),
        to_build=dict(type="str"),
        wait=dict(type="int", default=300),
    )
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    try:
        Run(module).go()
    except contract.ProgramError as error:
        module.fail_json(msg=str(error), changed=False, reboot_required=False)


if __name__ == "__main__":
    main()
