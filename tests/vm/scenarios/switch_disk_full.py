# SPDX-License-Identifier: Apache-2.0
"""A full disk under /var: the switch does not begin, or stops cleanly, and rolls back; with space again it goes on."""

from switching import ends, is_switched, mutable, set_agent, state_of, status_of

PLACE = "/var/lib/auditshift"
FILL = f"dd if=/dev/zero of={PLACE}/filler bs=4k status=none; dd if=/dev/zero of={PLACE}/filler2 bs=1 status=none; true"
FREE = f"rm -f {PLACE}/filler {PLACE}/filler2; sync {PLACE}"


def run(lab):
    with lab.machine(frozen=mutable(lab)) as machine:
        old = state_of(machine)
        # An ext4 of its own, so small that it can be filled.
        machine.check(f"truncate -s 4M /root/small && mkfs.ext4 -q -m 0 /root/small && mkdir -p {PLACE}")
        machine.check(f"modprobe loop && mount -o loop /root/small {PLACE} && chmod 700 {PLACE}")
        full_before(lab, machine, old)
        full_in_the_middle(lab, machine, old)
        full_before_the_rollback(lab, machine, old)


def full_before(lab, machine, old):
    machine.check(FILL)
    refused = ends(lab, machine, "auditshift switch --yes", 1, "full before: exit 1")
    lab.that("nothing was changed" in refused.err and "No space left" in refused.err, "it says so, and why", refused)
    lab.equal(state_of(machine), old, "nothing was changed")
    lab.equal(status_of(machine)["state"], "idle", "status: idle")
    machine.check(FREE)


def full_in_the_middle(lab, machine, old):
    set_agent(machine, slow="2")
    begin = "auditshift switch --yes >/root/said 2>&1; echo $? >/root/code"
    machine.check(f"rm -f /root/code; systemd-run --quiet --unit=switching /bin/bash -c '{begin}'")
    machine.wait_until("grep -q 'switch the agent' /root/said", 120)
    machine.check(FILL)
    machine.wait_until("test -s /root/code", 300)
    code, said = machine.check("cat /root/code").strip(), machine.check("cat /root/said")
    lab.that(code in ("0", "5"), f"full in the middle: it comes to one of its ends (exit {code})", said)
    if code == "5":
        lab.that("No space left" in said, "it says why", said)
        lab.equal(state_of(machine), old, "all is undone")
    else:
        is_switched(lab, old, state_of(machine))
    machine.check(FREE)
    set_agent(machine, slow="0")
    ends(lab, machine, "auditshift switch --yes", 0, "with space again: switch, exit 0")
    is_switched(lab, old, state_of(machine))


def full_before_the_rollback(lab, machine, old):
    machine.check(FILL)
    ends(lab, machine, "auditshift rollback --yes", 0, "full before the rollback: it needs no new space")
    lab.equal(state_of(machine), old, "rolled back, to the byte")
    machine.check(FREE)
