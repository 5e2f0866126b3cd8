// SPDX-License-Identifier: Apache-2.0
#include "auditd/loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "auditd/unit_file.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::auditd {
namespace {

using tests::TemporaryTree;

const std::string kDaemonUnit =
    "[Unit]\nDescription=x\n[Service]\nExecStart=/sbin/auditd\n"
    "# ExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\nExecStartPost=-/sbin/augenrules --load\n";

/// A host with auditd.service in its package's place, enabled.
struct Host {
  explicit Host(const std::string& unit = kDaemonUnit) {
    tree.file("/usr/lib/systemd/system/auditd.service", unit);
    tree.link("/lib", "usr/lib");
    enable("auditd.service");
  }
  void enable(const std::string& unit) const {
    tree.link("/etc/systemd/system/multi-user.target.wants/" + unit, "/lib/systemd/system/" + unit);
  }
  void drop_in(const std::string& name, const std::string& content) const {
    tree.file("/etc/systemd/system/auditd.service.d/" + name, content);
  }
  LoaderFinding find() const {
    const base::Sysroot host = tree.open();
    return find_loader(host);
  }
  TemporaryTree tree;
};

TEST(ParseUnit, ReadsSectionsCommentsAndContinuedLines) {
  const auto settings =
      parse_unit("a=0\n[Service]\n; c\nExecStart = /bin/a \\\n# inside\n  --b\n\nnonsense\n[X]\nk=\n", "u");
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[0].section, "");
  EXPECT_EQ(std::tuple(settings[1].section, settings[1].name, settings[1].value, settings[1].origin.line),
            std::tuple("Service", "ExecStart", "/bin/a  --b", 4));
  EXPECT_EQ(std::tuple(settings[2].section, settings[2].name, settings[2].value), std::tuple("X", "k", ""));
}

TEST(FindLoader, TheDistributionsUnitRunsAugenrules) {
  const LoaderFinding finding = Host().find();
  EXPECT_EQ(finding.loader, Loader::augenrules);
  EXPECT_EQ(finding.evidence,
            "/usr/lib/systemd/system/auditd.service:6: ExecStartPost=-/sbin/augenrules --load");
  EXPECT_EQ(finding.origin, (Origin{"/usr/lib/systemd/system/auditd.service", 6}));
}

TEST(FindLoader, ADropInCanReplaceTheCommand) {
  const Host host;
  host.drop_in("10-plain.conf",
               "[Service]\nExecStartPost=\nExecStartPost=-/sbin/auditctl -R /etc/audit/my.rules\n");
  const LoaderFinding finding = host.find();
  EXPECT_EQ(std::tuple(finding.loader, finding.rules_file), std::tuple(Loader::plain, "/etc/audit/my.rules"));
  EXPECT_EQ(finding.origin, (Origin{"/etc/systemd/system/auditd.service.d/10-plain.conf", 3}));
}

TEST(FindLoader, AResetAloneLeavesNothing) {
  const Host host;
  host.drop_in("a.conf", "[Service]\nExecStartPost=\n");
  const LoaderFinding finding = host.find();
  EXPECT_EQ(finding.loader, Loader::none);
  EXPECT_EQ(finding.evidence,
            "/usr/lib/systemd/system/auditd.service: runs neither augenrules --load nor auditctl -R");
}

TEST(FindLoader, DropInsAreHiddenByNameAndByMask) {
  const Host host;
  host.tree.file("/usr/lib/systemd/system/auditd.service.d/a.conf", "[Service]\nExecStartPost=\n");
  host.tree.link("/etc/systemd/system/auditd.service.d/a.conf", "/dev/null");
  host.drop_in("b.txt", "[Service]\nExecStartPost=\n");
  EXPECT_EQ(host.find().loader, Loader::augenrules);
}

TEST(FindLoader, TheAdministratorsUnitReplacesThePackages) {
  const Host host;
  host.tree.file(
      "/etc/systemd/system/auditd.service",
      "[Service]\nExecStart=/sbin/auditd\nExecStartPost=/bin/sh -c 'auditctl -R/etc/audit/audit.rules'\n");
  const LoaderFinding finding = host.find();
  EXPECT_EQ(std::tuple(finding.loader, finding.rules_file),
            std::tuple(Loader::plain, "/etc/audit/audit.rules"));
}

TEST(FindLoader, AMaskedOrDisabledUnitLoadsNothing) {
  const Host masked;
  masked.tree.link("/etc/systemd/system/auditd.service", "/dev/null");
  EXPECT_EQ(masked.find().evidence, "/etc/systemd/system/auditd.service: masked");
  const TemporaryTree tree;
  tree.file("/lib/systemd/system/auditd.service", kDaemonUnit);
  const base::Sysroot host = tree.open();
  EXPECT_EQ(find_loader(host).evidence, "/lib/systemd/system/auditd.service: not enabled");
}

TEST(FindLoader, Audit4LoadsByAUnitOfItsOwn) {
  const Host host("[Unit]\nWants=audit-rules.service\n[Service]\nExecStart=/sbin/auditd\n");
  host.tree.file("/usr/lib/systemd/system/audit-rules.service",
                 "[Service]\nType=oneshot\nExecStart=/sbin/augenrules --load\n");
  const LoaderFinding finding = host.find();
  EXPECT_EQ(finding.loader, Loader::audit_rules_service);
  EXPECT_EQ(finding.origin, (Origin{"/usr/lib/systemd/system/audit-rules.service", 3}));
  host.tree.link("/etc/systemd/system/audit-rules.service", "/dev/null");
  EXPECT_EQ(host.find().loader, Loader::none);
}

TEST(FindLoader, SystemVScriptsAskTheirSettings) {
  const auto with = [](const std::string& script, const char* path, const std::string& settings) {
    const TemporaryTree tree;
    tree.file("/etc/init.d/auditd", script);
    if (path != nullptr) tree.file(path, settings);
    const base::Sysroot host = tree.open();
    const LoaderFinding finding = find_loader(host);
    return std::string(to_string(finding.loader)) + " " + finding.evidence;
  };
  const std::string debian = "case \"$USE_AUGENRULES\" in no) ;; *) augenrules ;; esac\n";
  const std::string red_hat = "if test x\"$USE_AUGENRULES\" != \"x\" ; then augenrules; fi\n";
  EXPECT_EQ(with(debian, "/etc/default/auditd", "# USE_AUGENRULES=\"yes\"\nUSE_AUGENRULES=\"no\" # old\n"),
            "audit.rules /etc/default/auditd:2: USE_AUGENRULES=no");
  EXPECT_EQ(with(debian, nullptr, ""), "augenrules /etc/init.d/auditd: USE_AUGENRULES is not set");
  EXPECT_EQ(with(red_hat, nullptr, ""), "audit.rules /etc/init.d/auditd: USE_AUGENRULES is not set");
  EXPECT_EQ(with(red_hat, "/etc/sysconfig/auditd", "USE_AUGENRULES='Yes'\n"),
            "augenrules /etc/sysconfig/auditd:1: USE_AUGENRULES=yes");
  EXPECT_EQ(with("auditctl -R /etc/audit/audit.rules\n", "/etc/default/auditd", "USE_AUGENRULES=yes\n"),
            "audit.rules /etc/default/auditd:1: USE_AUGENRULES=yes");
}

TEST(FindLoader, AHostWithoutAuditHasNone) {
  const TemporaryTree tree;
  const base::Sysroot host = tree.open();
  const LoaderFinding finding = find_loader(host);
  EXPECT_EQ(finding.loader, Loader::none);
  EXPECT_EQ(finding.evidence,
            "no auditd.service, no audit-rules.service; /etc/init.d/auditd: No such file or directory");
}

TEST(FindLoader, HostileUnitsAreNoEnd) {
  const Host host;
  host.tree.directory("/etc/systemd/system/auditd.service.d");
  ASSERT_EQ(::mkfifo(host.tree.real("/etc/systemd/system/auditd.service.d/a.conf").c_str(), 0600), 0);
  host.tree.link("/etc/systemd/system/auditd.service.d/b.conf", "b.conf");
  host.tree.directory("/etc/systemd/system/auditd.service.d/c.conf");
  EXPECT_EQ(host.find().loader, Loader::augenrules);
}

}  // namespace
}  // namespace auditshift::auditd
