#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: auditshift_info
short_description: Reads what auditshift knows about a host
version_added: 1.0.0
description:
  - Asks C(auditshift) on the host for its JSON documents. Reads only, in check mode too.
  - That something blocks a switch, or that a switch does not hold, is no failure of this module. It is in the result.
options:
  gather:
    description: What to ask for.
    type: list
    elements: str
    choices: [status, assessment, plan, verification, history]
    default: [status]
  program:
    description: The program, by name or path.
    type: str
    default: auditshift
  agent:
    description: Which endpoint agent a plan is about.
    type: str
    choices: [auto, mdatp, native]
    default: auto
  accept:
    description: Findings and exclusions that are accepted, by id.
    type: list
    elements: str
    default: []
  skip:
    description: Checks to leave out, by id.
    type: list
    elements: str
    default: []
  log_days:
    description: How many days of the audit log an assessment reads. C(0) leaves the log out.
    type: int
    default: 30
  patience:
    description: How many seconds a verification waits for the event of its probe process.
    type: int
    default: 20
  wait:
    description: How many seconds to wait while another run works on the host.
    type: int
    default: 300
requirements:
  - auditshift on the host
attributes:
  check_mode:
    description: Runs in check mode without changes of the host.
    support: full
author:
  - The auditshift authors (@auditshift)
seealso:
  - module: auditshift.fleet.auditshift
"""

EXAMPLES = r"""
- name: Is this host ready for the switch?
  auditshift.fleet.auditshift_info:
    gather: [assessment]
  become: true
  register: host

- name: Say so
  ansible.builtin.debug:
    var: host.assessment.verdict

- name: Does the switch hold?
  auditshift.fleet.auditshift_info:
    gather: [status, verification]
  become: true
  register: host
  failed_when: host is failed or not host.verification.ok
"""

RETURN = r"""
status:
  description: The document of C(auditshift status --json).
  type: dict
  returned: when gathered
assessment:
  description: The document of C(auditshift assess --json).
  type: dict
  returned: when gathered
plan:
  description: The document of C(auditshift plan --json); with C(refusals) instead of steps when the host cannot be switched as it is.
  type: dict
  returned: when gathered
verification:
  description: The document of C(auditshift verify --json).
  type: dict
  returned: when gathered
history:
  description: The document of C(auditshift history --json).
  type: dict
  returned: when gathered
exit_codes:
  description: The exit code of each, by what was gathered.
  type: dict
  returned: always
  sample: {status: 0, verification: 3}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.auditshift.fleet.plugins.module_utils.program import ARGUMENTS, Program, ProgramError


def verb_of(module, program, what):
    """The verb that tells it, and its options."""
    if what == "assessment":
        arguments = ["--log-days", str(module.params["log_days"])]
        for identifier in module.params["accept"]:
            arguments += ["--accept", identifier]
        for identifier in module.params["skip"]:
            arguments += ["--skip", identifier]
        return "assess", arguments
    if what == "plan":
        return "plan", program.decisions()
    if what == "verification":
        return "verify", ["--patience", str(module.params["patience"])]
    return what, []


def main():
    arguments = dict(
        ARGUMENTS,
        gather=dict(
            type="list",
            elements="str",
            choices=["status", "assessment", "plan", "verification", "history"],
            default=["status"],
        ),
        log_days=dict(type="int", default=30),
        patience=dict(type="int", default=20),
        wait=dict(type="int", default=300),
    )
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    result = dict(changed=False, exit_codes={})
    try:
        program = Program(module)
        for what in module.params["gather"]:
            verb, options = verb_of(module, program, what)
            answer = program.ask(verb, *options)
            result[what] = answer.document
            result["exit_codes"][what] = answer.code
    except ProgramError as error:
        module.fail_json(msg=str(error), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
