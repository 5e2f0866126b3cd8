# SPDX-License-Identifier: Apache-2.0
import json

import lab

#: The program on a host whose package sources have every build: it is installed when the switch is undone, as a line of a file.
WITH_BUILDS = """#!/bin/sh
case "$*" in
  *--to-build*) ;;
  *) exec /usr/bin/auditshift "$@" ;;
esac
if /usr/bin/auditshift -q status --json=short | grep -q '"state":"rolled-back"'; then
  for build in "$@"; do :; done
  echo "$build" >>/var/lib/builds
  echo '{"outcome": "done", "message": ""}'
else
  exec /usr/bin/auditshift -q rollback --yes --json=short
fi
"""


class Rollout(lab.FleetTest):
    """A whole rollout, as docs/fleet.md tells it: look, try, switch in waves, again, commit."""

    def test_switches_in_waves_and_commits(self):
        hosts = self.fleet("a", "b", "c", "d", locked=["b", "c"])
        before = [host.snapshot() for host in hosts]
        boots = [host.boot_id() for host in hosts]

        tried = self.plays("switch", "--check", "--diff", switch_reboot_ok=True)
        self.assertEqual([host.snapshot() for host in hosts], before, "check mode changes nothing")
        self.assertIn("--- /etc/audit/rules.d/mdatp.rules", tried.output, "diff mode shows the plan's difference")
        self.assertIn("-F key=mdatp", tried.output)
        for host in hosts:
            self.assertGreater(tried.count(host, "changed"), 0, f"{host.name}\n{tried}")

        switched = self.plays("switch", switch_reboot_ok=True, auditshift_waves=[1, 2, "100%"])
        self.assertEqual([host.status()["state"] for host in hosts], ["switched"] * 4)
        rebooted = [host.boot_id() != boot for host, boot in zip(hosts, boots)]
        self.assertEqual(rebooted, [False, True, True, False], "those whose audit is locked, and no other")
        for host in hosts:
            self.assertNotIn("mdatp", host.inside("auditctl -l; cat /etc/audit/rules.d/* /etc/audit/audit.rules"))
            self.assertIn("time-change", host.inside("auditctl -l"))
            result = self.result(host)
            self.assertTrue(result["verification"]["ok"], result)
            self.assertEqual((result["status"]["state"], result["reasons"], result["reboot_required"]), ("switched", [], False))
            self.assertTrue(result["complete"], result)
        self.assertEqual(len(list(self.reports.glob("assessments/*/*.json"))), 4)

        facts = json.loads(hosts[1].inside("/etc/ansible/facts.d/auditshift.fact"))
        self.assertEqual(facts["state"], "switched")
        again = self.plays("switch", switch_reboot_ok=True)
        self.assert_changed_nothing(again, hosts)

        tried = self.play("commit", "--check")
        self.assertEqual([host.status()["state"] for host in hosts], ["switched"] * 4, tried)
        committed = self.plays("commit")
        self.assertEqual([host.status()["state"] for host in hosts], ["committed"] * 4)
        again = self.plays("commit")
        self.assert_changed_nothing(again, hosts)
        too_late = self.play("rollback", "--limit", "a")
        self.assertEqual(too_late.code, 2, too_late)
        self.assertIn("its way back is gone", too_late.output)

    def test_rolls_a_wave_back_to_the_byte(self):
        hosts = self.fleet("a", "b", "c", locked=["b"])
        audit = "auditctl -s | grep enabled; auditctl -l; cd /etc; find audit opt/microsoft -printf '%p %m %u %g\\n' | sort; cat audit/rules.d/* audit/audit.rules"
        before = [host.inside(audit) for host in hosts]
        self.plays("switch", "--limit", "a,b", switch_reboot_ok=True)
        boot = hosts[1].boot_id()
        tried = self.plays("rollback", "--limit", "a,b", "--check", "--diff")
        self.assertIn("+state: rolled-back", tried.output)
        self.assertEqual([host.status()["state"] for host in hosts], ["switched", "switched", "idle"])

        back = self.plays("rollback", "--limit", "a,b")
        self.assertIn("waits for a reboot", back.output)
        self.assertEqual(hosts[1].boot_id(), boot, "without consent nothing reboots")
        self.assertEqual(hosts[1].status()["state"], "awaiting-reboot")
        self.assertTrue(self.result(hosts[1])["reboot_required"])
        back = self.plays("rollback", "--limit", "a,b", rollback_reboot_ok=True)
        self.assertNotEqual(hosts[1].boot_id(), boot)
        self.assertEqual([host.status()["state"] for host in hosts], ["rolled-back", "rolled-back", "idle"])
        self.assertEqual([host.inside(audit) for host in hosts], before)
        again = self.plays("rollback", rollback_reboot_ok=True)
        self.assert_changed_nothing(again, hosts)

    def test_an_older_build_comes_after_the_reboot(self):
        (host,) = self.fleet("a")
        host.write("/opt/tests/auditshift", WITH_BUILDS, 0o755)
        builds = host.file("/var/lib/builds")
        settings = {"auditshift_program": "/opt/tests/auditshift", "rollback_to_build": "101.24072.0001"}
        self.plays("switch")
        host.inside("auditctl -e 2")  # somebody locked audit since
        waits = self.plays("rollback", **settings)
        self.assertIn("run this again: build 101.24072.0001 is not installed before", " ".join(waits.output.split()))
        self.assertEqual((host.status()["state"], builds.exists()), ("awaiting-reboot", False))
        self.plays("rollback", rollback_reboot_ok=True, **settings)
        self.assertEqual((host.boots, host.status()["state"]), (2, "rolled-back"))
        self.assertEqual(builds.read_text(), "101.24072.0001\n")
