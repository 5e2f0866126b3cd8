# SPDX-License-Identifier: Apache-2.0
import json
import subprocess

import lab


class Assess(lab.FleetTest):
    def test_brings_every_assessment_home_and_changes_nothing(self):
        hosts = self.fleet("a", "b", locked=["b"])
        before = [host.snapshot() for host in hosts]
        played = self.play("assess")
        self.assertEqual(played.code, 0, played)
        self.assert_changed_nothing(played, hosts)
        self.assertEqual([host.snapshot() for host in hosts], before)
        verdicts = {}
        for file in sorted(self.reports.glob("assessments/*/*.json")):
            document = json.loads(file.read_text())
            verdicts[file.stem] = document["verdict"]
            self.assertEqual(document["host"]["hostname"], file.stem)
            subprocess.run(
                ["/usr/bin/python3", lab.SOURCE / "tests/schema/validate.py", lab.SOURCE / "docs/schema/assessment.schema.json", file],
                check=True,
            )
        self.assertEqual(verdicts, {"a": "ready", "b": "ready-after-reboot"})
