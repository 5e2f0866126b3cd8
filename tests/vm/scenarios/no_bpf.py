# SPDX-License-Identifier: Apache-2.0
"""Kernels locked down: with integrity the sensor works on eBPF, with confidentiality it falls back to netlink."""

import json

UNIT = "auditshift-sensord"


def run(lab):
    for mode in ("integrity", "confidentiality"):
        with lab.machine(append=f"lockdown={mode}") as machine:
            if f"[{mode}]" not in machine.run("cat /sys/kernel/security/lockdown").out:
                lab.skip(f"lockdown={mode}", f"the kernel {machine.kernel_version} does not lock down at boot")
                continue
            lab.note(f"lockdown={mode}")
            started = machine.run(f"systemctl daemon-reload; systemctl start {UNIT}")
            lab.that(started.code == 0, "the sensor starts", machine.run(f"journalctl -u {UNIT} -b --no-pager").out)
            if mode == "integrity":
                works_on_ebpf(lab, machine)
            else:
                falls_back(lab, machine)


def health(machine):
    return json.loads(machine.run("auditshift health --json").out)


def provider_at_work(machine):
    return machine.run(f"systemctl show --value -p StatusText {UNIT}").out.strip()


def works_on_ebpf(lab, machine):
    lab.equal(provider_at_work(machine), "Events come from ebpf", "events come from ebpf")
    lab.equal(assessed_tier(machine), "core", "assess: tier core")
    lab.equal(health(machine)["healthy"], True, "health is good")


def falls_back(lab, machine):
    lab.equal(provider_at_work(machine), "Events come from netlink", "events come from netlink")
    lab.equal(assessed_tier(machine), "netlink", "assess: tier netlink")
    issues = health(machine)["health_issues"]
    lab.that(any("locked down" in issue for issue in issues), f"health says why: {issues}")
    lab.succeeds(machine, "auditshift health --details ebpf | grep '^not ebpf.*locked down'", "so do its details")
    machine.check("cp /bin/true /var/tmp/marked-program && /var/tmp/marked-program && sleep 1")
    lab.succeeds(
        machine, "grep -q marked-program /var/log/auditshift/events.ndjson", "an executed program is in the stream"
    )


def assessed_tier(machine):
    return json.loads(machine.run("auditshift assess --json", seconds=300).out)["sensor"]["tier"]
