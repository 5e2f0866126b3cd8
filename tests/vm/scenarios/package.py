# SPDX-License-Identifier: Apache-2.0
"""The package under a running systemd: nothing starts by itself, an upgrade restarts the sensor, removal leaves nothing."""

UNIT = "auditshift-sensord"
RESUME = "auditshift-resume"
PACKAGE = "/opt/auditshift-tests/auditshift.deb"
MARKER = "/var/lib/auditshift/resume-at-boot"
# What the sensor and the package may leave: files below these, and units that somebody enabled.
TRACES = f"find / -xdev -name '*auditshift*' -not -path '/opt/*' -not -path '/var/lib/dpkg/*' -not -path '/proc/*' " \
    "-not -path '/var/lib/systemd/*' -not -path '/usr/lib/auditshift-vm*' -not -path '/var/log/journal/*' | sort; ls -d /sys/fs/bpf/auditshift /run/auditshift"  # fmt: skip


def run(lab):
    with lab.machine() as machine:
        if machine.run("dpkg-query -W auditshift").code != 0:
            lab.skip("the package", "the programs are copies (run.py without --package)")
            return
        starts_nothing(lab, machine)
        resumes_at_boot(lab, machine)
        restarts_at_an_upgrade(lab, machine)
        leaves_nothing(lab, machine)


def show(machine, name, unit=UNIT):
    return machine.check(f"systemctl show --value -p {name} {unit}").strip()


def starts_nothing(lab, machine):
    lab.equal(machine.run(f"systemctl is-enabled {UNIT}").out.strip(), "disabled", "installed: the sensor is not enabled")
    lab.equal(show(machine, "ActiveState"), "inactive", "installed: the sensor does not run")
    lab.equal(machine.run(f"systemctl is-enabled {RESUME}").out.strip(), "static", "installed: the boot unit is static")
    lab.equal(machine.run("auditshift status").out.strip() != "", True, "the tool answers")
    lab.succeeds(machine, f"systemd-analyze verify --man=no {UNIT}.service {RESUME}.service", "systemd finds no fault in the units")
    machine.reboot()
    lab.equal(show(machine, "ActiveState"), "inactive", "after a boot: the sensor does not run")
    lab.equal(show(machine, "ConditionResult", RESUME), "no", "after a boot: the boot unit had no marker and did nothing")


def resumes_at_boot(lab, machine):
    machine.check(f"mkdir -p -m 700 {MARKER.rpartition('/')[0]} && touch {MARKER} && sync")
    machine.reboot()
    machine.run(f"systemctl is-active --wait {RESUME}")
    lab.equal(show(machine, "ConditionResult", RESUME), "yes", "with a marker the boot unit runs")
    machine.check(f"rm -f {MARKER}; rmdir --ignore-fail-on-non-empty {MARKER.rpartition('/')[0]}; systemctl reset-failed")


def restarts_at_an_upgrade(lab, machine):
    # The same package with a higher number.
    machine.check(
        f"mkdir /root/up && dpkg-deb -R {PACKAGE} /root/up && sed -i 's/^Version: .*/&.1/' /root/up/DEBIAN/control"
        " && dpkg-deb --build --root-owner-group -Znone /root/up /root/up.deb && rm -r /root/up", seconds=300,
    )  # fmt: skip
    machine.check(f"systemctl enable --now {UNIT}", seconds=300)
    before = show(machine, "MainPID")
    lab.succeeds(machine, "dpkg -i /root/up.deb", "upgrade", seconds=300)
    lab.equal(show(machine, "ActiveState"), "active", "upgraded: the sensor runs")
    lab.that(show(machine, "MainPID") not in (before, "0"), "upgraded: it is the new program")
    lab.equal(machine.run(f"systemctl is-enabled {UNIT}").out.strip(), "enabled", "upgraded: it is still enabled")
    machine.check(f"systemctl stop {UNIT}")
    lab.succeeds(machine, f"dpkg -i {PACKAGE}", "back to the older one", seconds=300)
    lab.equal(show(machine, "ActiveState"), "inactive", "a sensor that did not run does not run after it")


def leaves_nothing(lab, machine):
    machine.check(f"systemctl start {UNIT}", seconds=300)
    # As after a crash: its programs and maps are still in the kernel.
    machine.check(f"systemctl stop {UNIT}; mkdir -p /sys/fs/bpf/auditshift; systemctl start {UNIT}", seconds=300)
    lab.succeeds(machine, "dpkg --remove auditshift", "remove", seconds=300)
    lab.equal(machine.run(f"pgrep -f '[a]{UNIT[1:]}'").code, 1, "removed: no sensor runs")
    lab.equal(machine.run(f"ls /etc/systemd/system/*/{UNIT}.service").code, 2, "removed: nothing is enabled")
    lab.equal(machine.run("bpftool prog 2>/dev/null; ls /sys/fs/bpf").out.strip(), "", "removed: nothing is left in the kernel")
    lab.succeeds(machine, "dpkg --purge auditshift", "purge", seconds=300)
    lab.equal(machine.run(TRACES).out.strip(), "", "purged: no trace")
    lab.equal(machine.check("systemctl --failed --plain --no-legend").strip(), "", "no unit failed")
