# SPDX-License-Identifier: Apache-2.0
"""The package goes back to an auditd-era build and stays there (rollback --to-build), from a local apt repository; and forward."""

import subprocess
import tempfile

from switching import RESUME, ends, is_switched, package, put_rules, set_agent, state_of

AUDITD, EBPF = "101.24072.0001", "101.25032.0003"  # the last build with auditd, and one without
REPOSITORY = "/opt/repository"


def run(lab):
    with lab.machine() as machine:
        prepare(lab, machine)
        old = state_of(machine)
        ends(lab, machine, "auditshift switch --yes", 0)
        machine.check(f"apt-get install -y mdatp={EBPF}", seconds=300)
        lab.equal(version(machine), EBPF, "the package is upgraded after the switch")
        is_switched(lab, old, state_of(machine), "upgraded")
        back(lab, machine, old)
        forward(lab, machine, old)


def prepare(lab, machine):
    put_rules(machine, locked=False)
    set_agent(machine, loads="no", cleans="no")
    with tempfile.TemporaryDirectory() as directory:
        for build in (AUDITD, EBPF):
            file = package(lab, build, directory)
            with open(file, "rb") as content:
                machine.put(f"{REPOSITORY}/{file.rpartition('/')[2]}", content.read())
        index = subprocess.run(
            ["dpkg-scanpackages", "--multiversion", "."], cwd=directory, check=True, capture_output=True, text=True
        )
        machine.put(f"{REPOSITORY}/Packages", index.stdout)
    machine.put("/etc/apt/sources.list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")
    machine.check(f"apt-get update && apt-get install -y mdatp={AUDITD}", seconds=300)
    machine.check(f"systemctl enable {RESUME}; augenrules --load")


def version(machine):
    return machine.check("dpkg-query -W -f '${Version}' mdatp").strip()


def back(lab, machine, old):
    asked = ends(lab, machine, f"auditshift rollback --yes --to-build {AUDITD}", 2, "an expired build: exit 2")
    lab.that("PKG002" in asked.err and "expired" in asked.err, "told so, and which id consents", asked)
    none = ends(lab, machine, "auditshift rollback --yes --to-build 101.23102.0003 --accept PKG002", 2,
                "a build that is not on offer: exit 2")  # fmt: skip
    lab.that("PKG001" in none.err and AUDITD in none.err, "told so, and what is on offer", none)
    lab.equal(version(machine), EBPF, "nothing has happened yet")
    ends(lab, machine, f"auditshift rollback --yes --to-build {AUDITD} --accept PKG002", 0)
    lab.equal(version(machine), AUDITD, "the build is installed")
    lab.equal(machine.check("apt-mark showhold").split(), ["mdatp"], "and held")
    machine.check("apt-get upgrade -y", seconds=300)
    lab.equal(version(machine), AUDITD, "an upgrade of the host leaves it")
    lab.equal(state_of(machine), old, "files, rules, provider are as before the switch")
    ends(lab, machine, f"auditshift rollback --yes --to-build {AUDITD} --accept PKG002", 0, "again: nothing to do")


def forward(lab, machine, old):
    if EBPF not in machine.run("auditshift plan --json", seconds=300).out:
        return lab.skip("forward again", "the plan of a held, older build does not name the newest one")
    ends(lab, machine, "auditshift switch --yes", 0, "switch: forward again")
    lab.equal(machine.check("apt-mark showhold").split(), [], "no longer held")
    lab.equal(version(machine), EBPF, "the newest build is installed")
    is_switched(lab, old, state_of(machine), "forward")
