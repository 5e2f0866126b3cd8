# SPDX-License-Identifier: Apache-2.0
"""A host whose audit configuration is locked (-e 2): assess knows, and no change gets through.

The rules are those of a sample host: Defender's, a CIS baseline's, and the last line that locks. They are loaded as a
boot does it, by augenrules.
"""

import json

from lab import SOURCE
from scenarios.kernel_matrix import run_tests

RULES = SOURCE / "tests/fixtures/hosts/rhel-8-immutable-cis/etc/audit/rules.d"


def run(lab):
    with lab.machine() as machine:
        before = assess(machine)
        lab.equal(before["audit"]["state"], "mutable", "before, audit is mutable")
        lock(machine)
        lab.equal(machine.check("auditctl -s | head -n 1").strip(), "enabled 2", "the kernel says: enabled 2")
        says_what_is(lab, machine)
        refuses_changes(lab, machine)
        # A soft reboot would not help, a real one does as long as the files lock again.
        machine.check("rm /etc/audit/rules.d/99-finalize.rules && augenrules")
        machine.reboot()
        lab.equal(assess(machine)["audit"]["state"], "mutable", "after a reboot without -e 2 it is mutable again")


def assess(machine):
    result = machine.run("auditshift assess --json", seconds=300)
    return json.loads(result.out) | {"exit": result.code}


def lock(machine):
    machine.check("rm -f /etc/audit/rules.d/*.rules")
    for file in sorted(RULES.glob("*.rules")):
        # A watch below a directory that is not there would end the load before the line that locks.
        machine.put(f"/etc/audit/rules.d/{file.name}", file.read_text(), mode="640")
    machine.check("mkdir -p /var/run/faillock && systemctl restart auditd")
    machine.run("augenrules --load")


def says_what_is(lab, machine):
    document = assess(machine)
    audit = document["audit"]
    lab.equal(audit["state"], "immutable", "assess: audit is immutable")
    lab.equal(audit["auditd_running"], True, "assess: auditd runs")
    listed = len(machine.check("auditctl -l").splitlines())
    lab.equal(audit["rules_live"], listed, "assess: as many rules as auditctl lists")
    lab.equal(document["verdict"], "ready-after-reboot", "assess: ready after a reboot")
    lab.equal(document["exit"], 3, "assess: exit 3")
    owners = {rule["file"]: rule["owner"] for rule in document["rules"] if rule["owner"] != "control"}
    lab.equal(owners.get("/etc/audit/rules.d/mdatp.rules"), "defender", "assess: mdatp.rules are Defender's")
    lab.equal(owners.get("/etc/audit/rules.d/50-cis.rules"), "user", "assess: 50-cis.rules are the user's")
    lab.equal(document["sensor"]["tier"], "core", "assess: the sensor could run in tier core")


def refuses_changes(lab, machine):
    outcomes = run_tests(machine, "system_immutable_audit")
    for name, outcome, text in outcomes:
        lab.that(outcome == "passed", name, text)
    lab.note(machine.run("grep hint: /tmp/system_immutable_audit-.log | head -n 1").out.strip())
    result = machine.run("auditctl -D")
    lab.that(result.code != 0, f"auditctl -D fails too: {result.err.strip() or result.out.strip()}")
