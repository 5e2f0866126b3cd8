# SPDX-License-Identifier: Apache-2.0
import json
import subprocess

import lab

#: The program of a host that says when it was assessed, and says a path.
OF_NO_DAY = """#!/bin/sh
/usr/bin/auditshift "$@" | sed 's,"generated_at": *"[^"]*","generated_at":"../../../ab",'
"""


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

    def test_a_host_that_cannot_answer_has_its_reason_in_the_report(self):
        hosts = self.fleet("a", "b")
        before = hosts[1].snapshot()
        played = self.play("switch", auditshift_program="/opt/no-such/auditshift")
        self.assertEqual(played.code, 2, "the report hides no failure\n" + str(played))
        self.assertEqual((played.count(hosts[0], "failed"), played.count(hosts[0], "ignored")), (1, 0), played)
        self.assertIn("the report is incomplete: ", played.output)
        result = self.result(hosts[0])
        self.assertEqual((result["complete"], result["status"], result["history"]), (False, None, []), result)
        self.assertEqual(len(result["reasons"]), 2, "the switch's own, and the report's")
        for reason in result["reasons"]:
            self.assertIn("/opt/no-such/auditshift is not installed on this host", reason)
        self.assertIsNone(played.count(hosts[1], "ok"), "its wave was not begun")
        self.assertEqual(hosts[1].snapshot(), before)

    def test_a_host_does_not_say_where_files_go_here(self):
        (host,) = self.fleet("a")
        host.write("/opt/tests/auditshift", OF_NO_DAY, 0o755)
        played = self.play("assess", auditshift_program="/opt/tests/auditshift")
        self.assertEqual(played.code, 2, played)
        self.assertIn("is of no day, and is not kept", played.output)
        self.plays("rollback", auditshift_program="/opt/tests/auditshift")  # nothing to do, and a report
        self.assertEqual([file.name for file in self.reports.rglob("*")], ["results", "a.json"])
        result = self.result(host)
        self.assertEqual((result["complete"], result["reasons"]), (False, ["the assessment of this host is of no day, and is not kept"]))
