# SPDX-License-Identifier: Apache-2.0
"""Verification fails, or never comes to an end, after the boot: an automatic rollback, bounded, and all are told."""

from scenarios.switch_power_cut import ORDER, install
from switching import MARKER, RESUME, ends, has_ended, locked, resume_log, set_agent, settled, state_of, status_of

METRICS = "/var/lib/prometheus/node-exporter"
FAILED, ROLLED_BACK = "97d42a2d342e47329454590acc3d5e9c", "9cc1a39b901b43eb93fe2f92cba325a4"  # docs/journal.md


def run(lab):
    with lab.machine(frozen=locked(lab)) as machine:
        old = state_of(machine)
        it_fails(lab, machine, old)
    with lab.machine(frozen=locked(lab)) as machine:
        it_never_ends(lab, machine, old)


def it_fails(lab, machine, old):
    machine.check(f"mkdir -p {METRICS}")
    ends(lab, machine, "auditshift switch --yes", 3)
    # The agent says ebpf, and sees nothing.
    set_agent(machine, blind="yes")
    machine.reboot()
    settled(machine)
    status = status_of(machine)
    lab.equal(status["state"], "awaiting-reboot", "no events after the boot: all is undone but what needs a boot")
    lab.that(status["rolling_back"], "status: rolling back", status)
    lab.equal(status["exit"], 3, "status: exit 3")
    bad = [check["id"] for check in status["verification"]["checks"] if not check["ok"]]
    lab.equal(bad, ["flow"], "status says what verification found")
    lab.succeeds(machine, f"journalctl -b MESSAGE_ID={FAILED} -o cat | grep flow", "the host's log has it, by its id")
    lab.succeeds(machine, "grep reboot /run/motd.d/auditshift", "who logs in is told that a reboot is needed")
    metric = f"grep -F 'auditshift_switch_result{{result=\"reboot_needed\"}} 1' {METRICS}/auditshift_switch.prom"
    lab.succeeds(machine, metric, "monitoring is told")
    machine.reboot()
    has_ended(lab, machine, "rolled-back", 0, "after another reboot")
    lab.equal(state_of(machine), old, "the host is as before, to the byte")
    lab.succeeds(machine, f"journalctl -b MESSAGE_ID={ROLLED_BACK} -o cat | grep flow", "the log says so, and why")
    lab.succeeds(machine, "grep -i undone /run/motd.d/auditshift", "who logs in is told that it failed")
    metric = f"grep -F 'auditshift_switch_result{{result=\"rolled_back\"}} 1' {METRICS}/auditshift_switch.prom"
    lab.succeeds(machine, metric, "monitoring is told")
    lab.equal(machine.check(f"systemctl show -p ExecMainStatus --value {RESUME}").strip(), "5", "the boot unit: exit 5")


def it_never_ends(lab, machine, old):
    install(lab, machine)
    ends(lab, machine, "auditshift switch --yes", 3)
    for attempt in (1, 2, 3):
        # The second sync is that of the record of the attempt: from there on nothing happens.
        machine.put(ORDER, "2\n")
        machine.mark_console()
        machine.power_cut()
        machine.start()
        stopped = machine.wait_console("auditshift stopped at sync 2", seconds=300)
        lab.that(stopped, f"attempt {attempt} hangs", resume_log(machine))
        lab.equal(machine.run(f"test -e {MARKER}").code, 0, f"attempt {attempt}: the next boot will go on")
    machine.power_cut()
    machine.start()
    settled(machine)
    status = status_of(machine)
    lab.that(status["rolling_back"] and status["state"] == "awaiting-reboot", "the fourth boot rolls back", status)
    machine.reboot()
    has_ended(lab, machine, "rolled-back", 0, "after another reboot")
    lab.equal(state_of(machine), old, "the host is as before, to the byte")
