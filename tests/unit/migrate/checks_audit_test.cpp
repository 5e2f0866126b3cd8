// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kDefenderRules =
    "-a exit,always -F arch=b64 -S rename -S unlink -k mdatp\n"
    "-a exit,always -F arch=b64 -S connect -k mdatpmbr\n";
constexpr const char* kDefenderLive =
    "-a always,exit -F arch=b64 -S rename,unlink -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S connect -F key=mdatpmbr\n";

TEST(AuditChecks, ImmutableNowAndAtTheNextBootAreTwoThings) {
  FakeHost host;
  host.augenrules()
      .rules("mdatp.rules", kDefenderRules)
      .rules("99-lock.rules", "-e 2\n")
      .live_rules(kDefenderLive)
      .audit(2);
  const Assessment locked = host.assess();
  ASSERT_TRUE(find(locked, "AUD003"));
  EXPECT_TRUE(find(locked, "AUD003")->remediations.at(0).reboot);
  EXPECT_THAT(evidence(*find(locked, "AUD004")), ElementsAre("/etc/audit/rules.d/99-lock.rules:1 -e 2"));
  EXPECT_EQ(to_string(locked.verdict), "ready-after-reboot");
  EXPECT_EQ(exit_code_of(locked), 3);

  host.audit(1);
  const Assessment later = host.assess();
  EXPECT_FALSE(find(later, "AUD003"));
  EXPECT_TRUE(find(later, "AUD004"));
  EXPECT_EQ(to_string(later.verdict), "ready");
}

TEST(AuditChecks, LockedAuditWithoutDefendersRulesNeedsNoReboot) {
  FakeHost host;
  host.augenrules()
      .rules("1.rules", "-w /etc/passwd -p wa -k id\n-e 2\n")
      .live_rules("-w /etc/passwd -p wa -k id\n")
      .audit(2);
  EXPECT_EQ(to_string(host.assess().verdict), "ready");
}

TEST(AuditChecks, DefendersRulesAreFoundInAllThreePlaces) {
  FakeHost host;
  host.augenrules()
      .audit(1)
      .rules("mdatp.rules", kDefenderRules)
      .rules("50-own.rules", "-w /etc/passwd -p wa -k mdatp-like\n")
      .write("/etc/audit/audit.rules", std::string("-D\n") + kDefenderRules)
      .live_rules(kDefenderLive);
  const Assessment assessment = host.assess();
  EXPECT_EQ(find(assessment, "AUD005")->data["count"], 2);
  EXPECT_EQ(find(assessment, "AUD006")->data["count"], 2);
  EXPECT_EQ(find(assessment, "AUD007")->data["count"], 2);
  EXPECT_THAT(assessment.plan_summary,
              ::testing::Contains("delete Defender's rules from the kernel, one by one"));
}

TEST(AuditChecks, LeftoversAreFoundByWhatIsInThem) {
  FakeHost host;
  host.audit(1)
      .write("/etc/audit/plugins.d/any-name.conf",
             "active = yes\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\n")
      .write("/etc/audit/plugins.d/syslog.conf", "active = no\npath = /sbin/audisp-syslog\n")
      .rules("mdatp.rate_limit.rules", "\n## x\n## cdbb87e7-66d1-40e8-b090-30ff3e88fc08\n-r 2500\n")
      .rules("exclude.rules", "-a exit,never -S rename -F exe=/usr/bin/x -k exclude\n");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD008"));
  EXPECT_THAT(
      evidence(*find(assessment, "AUD008")),
      ElementsAre("/etc/audit/plugins.d/any-name.conf active, /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin",
                  "/etc/audit/rules.d/exclude.rules exclusions written by the vendor's support tool",
                  "/etc/audit/rules.d/mdatp.rate_limit.rules marked as managed by Defender"));
}

TEST(AuditChecks, UnknownStateBlocksUntilAccepted) {
  FakeHost host;
  const Assessment unknown = host.assess();
  EXPECT_TRUE(find(unknown, "AUD002"));
  EXPECT_EQ(outcome(unknown, "AUD003"), "not-run");
  EXPECT_EQ(to_string(unknown.verdict), "blocked");
  EXPECT_EQ(to_string(host.assess({.skip = {}, .accept = {"AUD002"}}).verdict), "ready");
}

TEST(AuditChecks, AuditSwitchedOffAtTheCommandLineIsAbsent) {
  FakeHost host;
  host.write("/proc/cmdline", "root=/dev/sda1 ro audit=0 quiet\n");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD001"));
  EXPECT_THAT(find(assessment, "AUD001")->diagnosis, HasSubstr("audit=0"));
  EXPECT_FALSE(find(assessment, "AUD002"));
  EXPECT_EQ(to_string(assessment.verdict), "ready");
}

TEST(AuditChecks, DisabledAndLosingAuditAreTold) {
  FakeHost host;
  host.audit(0, "lost 17\nbacklog 7000\n").rules("1.rules", "-w /etc/passwd -p wa -k id\n");
  const Assessment assessment = host.assess();
  EXPECT_TRUE(find(assessment, "AUD009"));
  EXPECT_THAT(find(assessment, "AUD010")->diagnosis, HasSubstr("17 records"));
  FakeHost quiet;
  quiet.audit(1, "lost 0\nbacklog 7000\n");
  const Assessment crowded = quiet.assess();
  EXPECT_THAT(find(crowded, "AUD010")->diagnosis, HasSubstr("three quarters"));
}

TEST(AuditChecks, ConfigurationManagementIsNamed) {
  FakeHost host;
  host.audit(1)
      .rules("10.rules", "# This file is managed by Puppet. DO NOT EDIT.\n-w /etc/passwd -p wa\n")
      .rules("20.rules", "#\n# Ansible managed\n");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD012"));
  EXPECT_EQ(find(assessment, "AUD012")->data["tools"], (base::Json{"Ansible", "Puppet"}));
}

TEST(AuditChecks, ConfigurationManagementNeedsAMark) {
  FakeHost host;
  host.audit(1).rules("10.rules", "# watch ansible runs\n-w /etc/ansible -p wa\n");
  EXPECT_EQ(outcome(host.assess(), "AUD012"), "nothing");
}

TEST(AuditChecks, DriftBetweenDiskAndKernelIsCounted) {
  FakeHost host;
  host.augenrules()
      .audit(1)
      .rules("1.rules", "-w /etc/passwd -p wa -k id\n-w /etc/group -p wa -k id\n")
      .write("/etc/audit/audit.rules", "-w /etc/passwd -p wa -k id\n")
      .live_rules("-w /etc/passwd -p wa -k id\n-w /etc/motd -p w -k hand\n");
  const Assessment assessment = host.assess();
  const Finding* finding = find(assessment, "AUD011");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->data["compiled_outdated"], true);
  EXPECT_EQ(finding->data["not_in_kernel"], 1);
  EXPECT_EQ(finding->data["not_on_disk"], 1);
}

}  // namespace
}  // namespace auditshift::migrate
