# SPDX-License-Identifier: Apache-2.0
import lab


class Power(lab.FleetTest):
    def test_a_host_that_dies_in_the_middle_of_its_switch(self):
        # Its agent takes its time, so that the power cut meets the switch at work.
        first, dying, third, fourth = self.fleet("a", "b", "c", "d", agent={"b": "slow=3\n"})
        untouched = fourth.snapshot()
        process = self.start_play("switch", auditshift_waves=[1, 2, 1])
        lab.wait_for(lambda: dying.status()["state"] == "applying", "the switch of b", seconds=900)
        dying.power_cut()
        played = self.end_play(process)
        self.assertNotEqual(played.code, 0, played)
        self.assertEqual(played.count(dying, "unreachable"), 1, played)
        self.assertIn("the rollout stops here: b", played.output)
        self.assertEqual([first.status()["state"], third.status()["state"]], ["switched", "switched"], "the rest of its wave is done")
        self.assertEqual(fourth.snapshot(), untouched, "the next wave was not begun")

        dying.write("/var/opt/microsoft/mdatp/standin/state", "loads=no\ncleans=no\n")
        (dying.disk / "no-resume").touch()  # its boot would go on with the switch
        dying.start()
        self.assertEqual((dying.status()["state"], dying.status()["interrupted"]), ("applying", True))
        again = self.plays("switch")
        self.assertEqual([host.status()["state"] for host in self.hosts], ["switched"] * 4)
        self.assertEqual(len(dying.status()["steps"]), sum(step["done"] for step in dying.status()["steps"]))
        self.assertEqual(dying.status()["transaction"], "000001", "it went on with the switch that was cut off")
        self.assert_changed_nothing(self.plays("switch"), self.hosts)

    def test_a_boot_that_does_not_go_on_by_itself(self):
        (host,) = self.fleet("a", locked=["a"])
        (host.disk / "no-resume").touch()
        played = self.plays("switch", switch_reboot_ok=True)
        self.assertEqual(host.status()["state"], "switched")

    def test_a_switch_that_does_not_survive_its_reboot(self):
        canary, other = self.fleet("a", "b", locked=["a"])
        untouched = other.snapshot()
        self.assertEqual(self.play("switch", "--limit", "a").code, 2)
        canary.inside("echo blind=yes >>/var/opt/microsoft/mdatp/standin/state")  # no events any more
        played = self.play("switch", switch_reboot_ok=True)
        self.assertEqual(played.code, 2, played)
        self.assertIn("named neither the probe", played.output, "the reason")
        self.assertIn("named neither the probe", "".join(self.result(canary)["reasons"]))
        self.assertIn(self.result(canary)["status"]["state"], ("rolled-back", "awaiting-reboot"), played)
        self.assertEqual(other.snapshot(), untouched)
