# SPDX-License-Identifier: Apache-2.0
import lab


class Stops(lab.FleetTest):
    """What ends a rollout, and that the hosts of later waves are as they were."""

    def assert_untouched(self, played, hosts, before):
        for host, snapshot in zip(hosts, before):
            self.assertEqual(host.snapshot(), snapshot, f"{host.name}\n{played}")
            self.assertIsNone(played.count(host, "ok"), f"{host.name} was never its turn\n{played}")

    def test_a_failing_canary(self):
        canary, *others = self.fleet("a", "b", "c", agent={"a": "blind=yes\n"})  # on eBPF, and sees nothing: two minutes of patience
        rules = canary.inside("auditctl -l; cat /etc/audit/audit.rules")
        before = [host.snapshot() for host in others]
        played = self.play("switch")
        self.assertEqual(played.code, 2, played)
        self.assertEqual(canary.status()["state"], "rolled-back")
        self.assertEqual(canary.inside("auditctl -l; cat /etc/audit/audit.rules"), rules)
        self.assert_untouched(played, others, before)
        result = self.result(canary)
        self.assertIn("failed and was rolled back cleanly", "".join(result["reasons"]), "the report came home all the same")
        self.assertEqual(result["status"]["state"], "rolled-back")

    def test_a_rollback_that_is_incomplete(self):
        canary, other = self.fleet("a", "b", agent={"a": "refuses=yes\n"})  # there and back
        before = [other.snapshot()]
        played = self.play("switch")
        self.assertEqual(played.code, 2, played)
        self.assertIn("a person is needed", "".join(self.result(canary)["reasons"]))
        again = self.play("switch")
        self.assertEqual(again.code, 2, again)
        self.assertEqual(again.count(canary, "changed"), 0, "it is left to that person")
        self.assertIn("a person is needed on this host", again.output)
        self.assert_untouched(again, [other], before)

    def test_a_host_that_needs_a_person(self):
        first, second, third, fourth = self.fleet("a", "b", "c", "d")
        second.inside("rm /etc/systemd/system/mdatp.service /etc/systemd/system/multi-user.target.wants/mdatp.service")
        before = [fourth.snapshot()]
        played = self.play("switch", auditshift_waves=[1, 2, 1])
        self.assertEqual(played.code, 2, played)
        self.assertIn("a person decides", played.output)
        self.assertIn("AGT008", "".join(self.result(second)["reasons"]))
        self.assertEqual([host.status()["state"] for host in (first, second, third)], ["switched", "idle", "switched"])
        self.assert_untouched(played, [fourth], before)
        accepted = self.plays("switch", auditshift_accept=["AGT008"])
        self.assertEqual(second.status()["state"], "switched")

    def test_a_reboot_that_nobody_allowed(self):
        canary, other = self.fleet("a", "b", locked=["a"])
        boot = canary.boot_id()
        before = [other.snapshot()]
        played = self.play("switch", "-e", "switch_reboot_ok=false")  # a text
        self.assertEqual(played.code, 2, played)
        self.assertIn("a reboot is needed first", played.output)
        self.assertEqual(canary.boot_id(), boot)
        self.assertTrue(self.result(canary)["reboot_required"])
        self.assert_untouched(played, [other], before)
        # Its owner reboots it; the boot unit goes on; the same command goes on with the fleet.
        canary.ssh("sudo /run/reboot")
        lab.wait_for(lambda: canary.boots == 2 and canary.answers() and canary.status()["state"] == "switched", "the boot unit's work")
        self.plays("switch")
        self.assertEqual(other.status()["state"], "switched")

    def test_a_host_that_waits_is_let_pass_only_when_nothing_else_is_wrong(self):
        canary, other, last = self.fleet("a", "b", "c", locked=["a"])
        before = [last.snapshot()]
        self.plays("switch", "--limit", "a,b", "-e", "verify_pending_ok=true")
        self.assertEqual([host.status()["state"] for host in (canary, other)], ["awaiting-reboot", "switched"])
        wrong = [check["id"] for check in self.result(canary)["verification"]["checks"] if not check["ok"]]
        self.assertIn("kernel-rules", wrong)
        canary.inside("cp /etc/audit/audit.rules /etc/audit/rules.d/mdatp.rules; echo '-a always,exit -F arch=b64 -S bpf -k mdatp' >>/etc/audit/rules.d/mdatp.rules")
        played = self.play("switch", "-e", "verify_pending_ok=true")
        self.assertEqual(played.code, 2, played)
        self.assertIn("the switch does not hold", played.output)
        reasons = "".join(self.result(canary)["reasons"])
        self.assertIn("/etc/audit/rules.d/mdatp.rules", reasons)
        self.assertNotIn("loaded", reasons, "not what it waits for")
        self.assert_untouched(played, [last], before)

    def test_rules_that_come_back_while_the_wave_soaks(self):
        canary, other = self.fleet("a", "b")
        before = [other.snapshot()]
        process = self.start_play("switch", verify_soak_seconds=15)
        lab.wait_for(lambda: "Let the wave run on" in self.output(), "the soak", seconds=900)
        canary.inside("cp /etc/audit/audit.rules /etc/audit/rules.d/mdatp.rules; echo '-a always,exit -F arch=b64 -S bpf -k mdatp' >>/etc/audit/rules.d/mdatp.rules")
        played = self.end_play(process)
        self.assertEqual(played.code, 2, played)
        self.assertIn("the switch does not hold", played.output)
        self.assertIn("/etc/audit/rules.d/mdatp.rules", "".join(self.result(canary)["reasons"]))
        self.assert_untouched(played, [other], before)
