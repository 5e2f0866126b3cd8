# SPDX-License-Identifier: Apache-2.0
import re
import subprocess

import lab


def commands():
    """Those of docs/fleet.md, in their order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (lab.SOURCE / "docs/fleet.md").read_text(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


class Documentation(lab.FleetTest):
    def test_every_command_of_the_page_does_what_it_says(self):
        soon = ["verify_soak_seconds=1"]  # instead of ten minutes
        canary, web, database = self.fleet("canary", "web1", "db1", locked=["web1"], groups={"web": ["web1"]}, settings=soon)
        controller = lab.FLEET / "controller"
        if not (controller / "ansible").exists():
            (controller / "ansible").symlink_to(lab.SOURCE / "ansible")
        states = lambda: [host.status()["state"] for host in (canary, web, database)]  # noqa: E731
        seen = []
        for command in commands():
            if "auditshift.fleet.commit" in command:  # after the way back: there again
                self.run_command(next(other for other in commands() if other.endswith("fleet.switch -e switch_reboot_ok=true")))
            self.run_command(command)
            seen.append((command.split()[0:4][-1], states()))
        expected = [
            ("ansible", ["idle"] * 3),
            ("auditshift-fleet-1.0.0.tar.gz", ["idle"] * 3),
            ("auditshift.fleet.assess", ["idle"] * 3),
            ("auditshift.fleet.switch", ["idle"] * 3),
            ("auditshift.fleet.switch", ["switched"] * 3),
            ("auditshift.fleet.rollback", ["rolled-back", "rolled-back", "switched"]),
            ("auditshift.fleet.commit", ["committed"] * 3),
        ]
        self.assertEqual(seen, expected)

    def run_command(self, command):
        force = " --force" if "collection" in command else ""  # the tests have it already
        done = subprocess.run(
            ["/bin/sh", "-c", command + force], cwd=lab.FLEET / "controller", env=lab.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")

    def test_the_variables_of_the_page_are_those_of_the_roles(self):
        page = (lab.SOURCE / "docs/fleet.md").read_text()
        told = set(re.findall(r"`((?:auditshift|switch|rollback|verify|assess|commit)_[a-z_]+)`", page.partition("## Variables")[2]))
        known = {"auditshift_hosts", "auditshift_waves", "switch_reboot_required", "rollback_reboot_required"}
        for file in (lab.SOURCE / "ansible/roles").glob("*/defaults/main.yml"):
            known |= set(re.findall(r"\b[a-z]+_[a-z_]+\b", file.read_text()))
        self.assertEqual(told - known, set())
