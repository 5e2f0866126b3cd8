# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: the question and its answers, an interrupt in the middle, a terminal that is lost."""

from switching import ends, is_switched, mutable, set_agent, state_of, status_of

# Runs a command on a terminal of its own: sees "wait for", types "type", and then waits for the end, or with
# "lose" closes the terminal when it sees that. Prints what it saw; its exit code is the command's.
TERMINAL = """import os, sys
command, scripted = sys.argv[1], [step.split("=", 1) for step in sys.argv[2:]]
pid, terminal = os.forkpty()
if pid == 0:
    os.execvp("/bin/bash", ["/bin/bash", "-c", "exec " + command])
seen = b""
def read():
    global seen
    try:
        data = os.read(terminal, 4096)
    except OSError:
        return False
    seen += data
    os.write(1, data)
    return bool(data)
for what, text in scripted:
    at = len(seen)
    if what == "type":
        os.write(terminal, text.encode().decode("unicode_escape").encode())
    else:
        while text.encode() not in seen and read():
            pass
        if what == "lose":
            os.close(terminal)
            sys.exit(0)
while read():
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
PROVIDER = "switch the agent"  # how the step that takes long is told


def run(lab):
    with lab.machine(frozen=mutable(lab)) as machine:
        machine.put("/root/terminal.py", TERMINAL)
        old = state_of(machine)
        answers(lab, machine, old)
        # Each call of the agent takes this long, so that there is a middle.
        set_agent(machine, slow="2")
        interrupt(lab, machine, old)
        lost_terminal(lab, machine, old)


def on_terminal(command, *script):
    return f"python3 /root/terminal.py '{command}' " + " ".join(f"'{step}'" for step in script)


def answers(lab, machine, old):
    ends(lab, machine, "auditshift switch </dev/null", 64, "without a terminal and --yes: exit 64")
    name = machine.check("hostname").strip()
    no = ends(lab, machine, on_terminal("auditshift switch", "wait=[y/N]", r"type=n\n"), 64, "answered no: exit 64")
    lab.that(f"on {name}? [y/N]" in no.out, "the question names the host", no.out[-500:])
    lab.that("remove /etc/audit/rules.d/mdatp.rules" in no.out, "and shows the plan before", no.out)
    lab.that("nothing was changed" in no.out and state_of(machine) == old, "nothing was changed", no.out)
    ends(lab, machine, on_terminal("auditshift switch", "wait=[y/N]", r"type=y\n"), 0, "answered yes: exit 0")
    is_switched(lab, old, state_of(machine), "answered yes")
    ends(lab, machine, on_terminal("auditshift rollback", "wait=[y/N]", r"type=yes\n"), 0, "rollback, answered yes")
    lab.equal(state_of(machine), old, "rolled back, to the byte")


def interrupt(lab, machine, old):
    # 0x03 is what the terminal makes an interrupt of.
    stopped = ends(
        lab, machine, on_terminal("auditshift switch --yes", f"wait={PROVIDER}", r"type=\x03"), 130,
        "an interrupt in the middle: exit 130",
    )  # fmt: skip
    status = status_of(machine)
    lab.that(
        status["state"] == "applying" and status["interrupted"], "status: applying, and nobody works on it", status
    )
    done = sum(step["done"] for step in status["steps"])
    lab.that(0 < done < len(status["steps"]), f"whole steps stand: {done} of {len(status['steps'])}", status)
    lab.that(status["next"] and status["next"] in stopped.out, f"told what now: {status['next']}", stopped)
    ends(lab, machine, "auditshift switch --yes", 0, "switch again goes on")
    is_switched(lab, old, state_of(machine), "gone on")
    ends(lab, machine, on_terminal("auditshift rollback --yes", "wait=undoing", r"type=\x03"), 130,
         "an interrupt in the rollback: exit 130")  # fmt: skip
    refused = ends(lab, machine, "auditshift switch --yes", 2, "switch does not go on with a rollback: exit 2")
    lab.that("auditshift rollback goes on" in refused.err, "and says what does", refused)
    ends(lab, machine, "auditshift rollback --yes", 0, "rollback again goes on")
    lab.equal(state_of(machine), old, "rolled back, to the byte")


def lost_terminal(lab, machine, old):
    ends(lab, machine, on_terminal("auditshift switch --yes", f"lose={PROVIDER}"), 0, "a terminal is lost in the middle")
    lab.equal(status_of(machine)["state"], "applying", "the switch is under way then")
    ended = machine.wait_until("test \"$(auditshift status --json | grep -c '\"state\": *\"switched\"')\" = 1", 300)
    lab.that(ended, "it comes to its end without", status_of(machine))
    is_switched(lab, old, state_of(machine), "without a terminal")
    ends(lab, machine, "auditshift rollback --yes", 0)
