# SPDX-License-Identifier: Apache-2.0
"""The sensor as a service of systemd: readiness, watchdog, crash, stop, rights.

While the sensor is stopped by a signal, killed and started again, a process makes files with running numbers; in the
end the stream must hold every one of them.
"""

import re
import time

UNIT = "auditshift-sensord"
PINS = "/sys/fs/bpf/auditshift"
EVENTS = "/var/log/auditshift/events.ndjson"
SOCKET = "/run/auditshift/sensord.sock"
NUMBERS = "/var/tmp/numbers"

# About forty files a second; the pause is a read that times out, which starts no process.
WORKLOAD = f"""#!/bin/bash
mkdir -p {NUMBERS} && exec 9<> <(:)
for ((n = 1; ; n++)); do : > {NUMBERS}/$n; read -r -t 0.02 -u 9; done
"""

# Connects as whoever runs it; ends with the error's name.
CONNECT = f"""import socket
try:
    socket.socket(socket.AF_UNIX).connect("{SOCKET}")
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


def run(lab):
    with lab.machine() as machine:
        starts_when_events_flow(lab, machine)
        keeps_to_itself(lab, machine)
        start_workload(machine)
        survives(lab, machine, "SIGSTOP, ended by the watchdog", "STOP", seconds=120)
        survives(lab, machine, "SIGKILL", "KILL", seconds=60)
        survives_hangup(lab, machine)
        no_number_is_missing(lab, machine)
        stops_cleanly(lab, machine)
        is_not_ready_without_events(lab, machine)
        lab.note(machine.run(f"systemd-analyze security --no-pager {UNIT} | tail -n 1").out.strip())


def show(machine, name):
    return machine.check(f"systemctl show --value -p {name} {UNIT}").strip()


def starts_when_events_flow(lab, machine):
    machine.check("systemctl daemon-reload")
    lab.succeeds(machine, f"systemctl enable --now {UNIT}", "starts")
    lab.equal(show(machine, "ActiveState"), "active", "is active")
    lab.equal(show(machine, "StatusText"), "Events come from ebpf", "its status names the provider")
    # Type=notify: systemctl came back because it said READY, and by then an event was written.
    written = f"grep -q '\"provider\":\"ebpf\"' {EVENTS}"
    lab.succeeds(machine, written, "an event is in the file when the start is over")
    health = machine.run("auditshift health")
    lab.that(health.code == 0, "health is good", health)
    said = machine.run(f"journalctl -u {UNIT} -b --no-pager -o cat | grep -E '^(warning|error|critical):'").out
    lab.equal(said, "", "the journal has no warning or error of it")


def keeps_to_itself(lab, machine):
    for path, mode in ((EVENTS, "600"), (SOCKET, "600"), ("/var/log/auditshift", "700"), ("/run/auditshift", "700"),
                       ("/var/lib/auditshift", "700"), (PINS, "700")):  # fmt: skip
        lab.equal(machine.run(f"stat -c %a {path}").out.strip(), mode, f"{path} has mode {mode}")
    lab.equal(machine.run("runuser -u nobody -- auditshift health").code, 77, "health as nobody: exit 77")
    machine.put("/var/tmp/connect.py", CONNECT)
    said = machine.run("runuser -u nobody -- python3 /var/tmp/connect.py").out.strip()
    lab.equal(said, "PermissionError", "nobody cannot connect to the socket")
    pid = show(machine, "MainPID")
    status = machine.check(f"cat /proc/{pid}/status")
    lab.equal(re.search(r"^NoNewPrivs:\s*(\d)", status, re.M).group(1), "1", "can gain no privileges")
    lab.equal(re.search(r"^Seccomp:\s*(\d)", status, re.M).group(1), "2", "runs under a seccomp filter")


def start_workload(machine):
    machine.put("/usr/local/bin/numbers", WORKLOAD, mode="755")
    machine.check("systemd-run --quiet --unit=numbers /usr/local/bin/numbers")


def survives(lab, machine, what, signal, seconds):
    before = show(machine, "MainPID")
    machine.check(f"kill -{signal} {before}")
    command = f'p=$(systemctl show --value -p MainPID {UNIT}); [ "$p" != {before} ] && systemctl is-active {UNIT}'
    started = time.monotonic()
    lab.that(machine.wait_until(command, seconds), f"{what}: runs again", machine.run(f"systemctl status {UNIT}").out)
    lab.note(f"after {time.monotonic() - started:.0f} s")
    if signal == "STOP":
        journal = machine.run(f"journalctl -u {UNIT} -b --no-pager -o cat").out
        lab.that("Watchdog timeout" in journal, "it was the watchdog", journal[-2000:])
    time.sleep(2)


def survives_hangup(lab, machine):
    before = show(machine, "MainPID")
    machine.check(f"systemctl reload {UNIT}")
    time.sleep(1)
    lab.equal(show(machine, "MainPID"), before, "reload leaves it running")


def no_number_is_missing(lab, machine):
    machine.check("systemctl stop numbers")
    time.sleep(3)
    made = {int(name) for name in machine.check(f"ls {NUMBERS}").split()}
    pattern = f'"path":"{NUMBERS}/[0-9]*"'
    listed = machine.check(f"cat {EVENTS}* | grep '\"action\":\"create\"' | grep -o '{pattern}'")
    seen = [int(number) for number in re.findall(r"/(\d+)\"", listed)]
    missing = sorted(made - set(seen))
    lab.that(not missing, f"all {len(made)} numbered files are in the stream", f"missing: {missing[:50]}")
    lab.that(len(made) > 500, f"there were enough of them ({len(made)})")
    lab.note(f"{len(seen) - len(set(seen))} of them came twice")
    lost = machine.run(f"cat {EVENTS}* | grep -c '\"action\":\"loss\"'").out.strip()
    lab.equal(lost, "0", "nothing is told as lost")


def stops_cleanly(lab, machine):
    lab.that(machine.run(f"ls {PINS}").out != "", "there were objects pinned")
    lab.succeeds(machine, f"systemctl stop {UNIT}", "stops")
    lab.equal(show(machine, "Result"), "success", "with success")
    left = machine.run(f"ls -A {PINS} 2>/dev/null").out
    lab.equal(left, "", "no pinned object is left")
    lab.that(machine.run(f"test -e {SOCKET}").code != 0, "the socket is gone")


def is_not_ready_without_events(lab, machine):
    # Without the capabilities to watch, no provider works: the start must fail, with the reason.
    drop_in = "[Service]\nCapabilityBoundingSet=\nRestart=no\n"
    machine.put(f"/etc/systemd/system/{UNIT}.service.d/none.conf", drop_in)
    machine.check("systemctl daemon-reload")
    result = machine.run(f"systemctl start {UNIT}")
    lab.that(result.code != 0, "without a provider the start fails", result)
    said = machine.run(f"journalctl -u {UNIT} -b --no-pager -o cat | grep 'error:' | tail -n 1").out.strip()
    lab.that("no event provider works here" in said, f"with the reason: {said}")
