# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import lab

sys.path.insert(0, str(lab.SOURCE / "tests/docs"))
import pages  # noqa: E402

#: What the guide shows and this host cannot do, with the test that does it.
ELSEWHERE = {
    "auditshift exclusions translate --accept process:/usr/sbin/named": "tests/docs, on a sample host with that exclusion",
    "auditshift switch --yes --reboot never": "tests/vm, switch-reboot-window",
    "auditshift switch --yes --reboot 'Sat 02:00-04:00'": "tests/vm, switch-reboot-window: it takes logind",
    "auditshift switch --yes --reboot now": "tests/vm, switch-immutable",
    "auditshift rollback --yes --to-build 101.24072.0001 --accept PKG002": "tests/vm, switch-package: it takes a package source",
}


class Guide(lab.FleetTest):
    def test_its_commands_do_what_it_says_in_their_order(self):
        (host,) = self.fleet("solo")
        before = self.all_but_the_journal(host)
        seen = []
        for block in pages.blocks(lab.SOURCE / "docs/guide.md"):
            for command in pages.commands(block) if block.language == "sh" else []:
                if command.text in ELSEWHERE:
                    continue
                if command.text.startswith("auditshift commit"):  # behind the rollback: there again
                    self.assertEqual(self.all_but_the_journal(host), before, "a rollback brings the host back to the byte")
                    self.run_on(host, "auditshift switch --yes")
                seen.append((command.text, self.run_on(host, command.text), host.status()["state"]))
        self.assertEqual(seen, [
            ("auditshift assess", 0, "idle"),
            ("auditshift assess --format html -o report.html", 0, "idle"),
            ("auditshift exclusions translate", 0, "idle"),
            ("auditshift plan --diff", 2, "idle"),
            ("auditshift switch --yes", 0, "switched"),
            ("auditshift status", 0, "switched"),
            ("auditshift verify", 0, "switched"),
            ("auditshift plan -o plan.json", 0, "switched"),
            ("auditshift switch --plan plan.json --yes", 0, "switched"),
            ("auditshift rollback --yes", 0, "rolled-back"),
            ("auditshift commit --yes", 0, "committed"),
            ("auditshift history", 0, "committed"),
            ("auditshift diagnostic create", 0, "committed"),
        ])  # fmt: skip

    def all_but_the_journal(self, host):
        """And but the stand-in's memory that it was told to use auditd, which it did before without being told."""
        return [line for line in host.snapshot().splitlines() if "/var/lib/auditshift" not in line and line != "subsystem=auditd"]

    def run_on(self, host, command):
        done = subprocess.run(
            ["nsenter", "--target", host.first_process(), "--mount", "--uts", "--pid", "--", "/bin/sh", "-c", f"cd /tmp && {command}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 2):
            self.fail(f"{command} ended with {done.returncode}\n{done.stdout}")
        return done.returncode
