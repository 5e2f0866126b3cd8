# SPDX-License-Identifier: Apache-2.0
import subprocess

import lab


class Install(lab.FleetTest):
    def package(self):
        """A package with the program, as far as this test needs one."""
        tree = lab.FLEET / "controller/package"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "opt/auditshift/bin").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            "Package: auditshift\nVersion: 0.1.0\nArchitecture: all\nMaintainer: auditshift tests <tests@example.org>\nDescription: for tests\n"
        )
        program = tree / "opt/auditshift/bin/auditshift"
        program.write_text('#!/bin/sh\nexec /usr/bin/auditshift "$@"\n')
        program.chmod(0o755)
        file = lab.FLEET / "controller/auditshift.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, file], check=True, stdout=subprocess.DEVNULL)
        return file

    def test_brings_the_package_to_the_hosts(self):
        (host,) = self.fleet("a")
        settings = {"auditshift_package": str(self.package()), "auditshift_program": "/opt/auditshift/bin/auditshift"}
        without = self.play("assess", auditshift_program="/opt/auditshift/bin/auditshift")
        self.assertIn("is not installed on this host", without.output)
        tried = self.play("assess", "--check", **settings)
        self.assertEqual(tried.count(host, "changed"), 1, f"it would be installed\n{tried}")
        self.assertIn("is not installed on this host", tried.output)
        # What somebody has where packages once were put stays theirs, and is not what is installed.
        host.inside("install -o 4201 -m 644 /dev/null /var/tmp/auditshift.deb")
        installed = self.plays("assess", **settings)
        self.assertEqual(host.inside("cd /var/tmp; find . -mindepth 1 -printf '%p %U %s\\n'"), "./auditshift.deb 4201 0\n")
        self.assertGreater(installed.count(host, "changed"), 0, installed)
        self.assertIn("ii ", host.inside("dpkg-query -W -f '${db:Status-Abbrev}' auditshift"))
        self.assert_changed_nothing(self.plays("assess", **settings), [host])
