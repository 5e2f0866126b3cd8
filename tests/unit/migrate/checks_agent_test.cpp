// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

using ::testing::HasSubstr;

std::string verdict(const FakeHost& host) { return std::string(to_string(host.assess().verdict)); }

TEST(AgentChecks, TellTheDaysThatAreLeft) {
  FakeHost host;  // captured on 2024-06-03
  host.audit(1).mdatp("101.24052.0002", "auditd", "product_expiration : Jun 13, 2024 at 08:19:40 PM\n");
  const Assessment soon = host.assess();
  EXPECT_EQ(find(soon, "AGT004")->data["days_left"], 10);
  EXPECT_EQ(find(soon, "AGT004")->severity, FindingSeverity::medium);
  host.mdatp("101.24052.0002", "auditd", "product_expiration : Jun 01, 2024 at 08:19:40 PM\n");
  EXPECT_EQ(verdict(host), "blocked");
  EXPECT_THAT(find(host.assess(), "AGT004")->diagnosis, HasSubstr("expired on 2024-06-01"));
}

TEST(AgentChecks, AnExpiredAgentMayOnlySayUnlicensed) {
  FakeHost host;
  host.audit(1).mdatp("101.24052.0002", "auditd", "ATTENTION: No license found.\nlicensed : false\n");
  const Assessment assessment = host.assess();
  EXPECT_THAT(find(assessment, "AGT004")->diagnosis, HasSubstr("no valid licence"));
  EXPECT_THAT(evidence(*find(assessment, "AGT004")),
              ::testing::Contains(HasSubstr("ATTENTION: No license found.")));
  EXPECT_EQ(to_string(assessment.verdict), "blocked");
}

TEST(AgentChecks, ABuildWithoutEbpfMustBeUpdated) {
  FakeHost host;
  host.audit(1).mdatp("101.98.89", "auditd");
  EXPECT_EQ(find(host.assess(), "AGT005")->blocks, Blocks::mandatory);
  host.mdatp("101.23052.0009", "auditd");
  EXPECT_EQ(find(host.assess(), "AGT005")->blocks, Blocks::overridable);
  host.mdatp("101.23082.0011", "auditd");
  EXPECT_FALSE(find(host.assess(), "AGT005"));
}

TEST(AgentChecks, TheImmutableHangNeedsBuildAndLock) {
  FakeHost host;
  host.audit(2).mdatp("101.23082.0009", "auditd");
  EXPECT_TRUE(find(host.assess(), "AGT006"));
  host.audit(1);
  EXPECT_FALSE(find(host.assess(), "AGT006"));
  host.augenrules().rules("99.rules", "-e 2\n");
  EXPECT_TRUE(find(host.assess(), "AGT006"));
  host.mdatp("101.23082.0011", "auditd");
  EXPECT_FALSE(find(host.assess(), "AGT006"));
}

TEST(AgentChecks, AServiceThatIsOffIsFoundBeforeTheReboot) {
  FakeHost host;
  host.audit(1).mdatp("101.26042.0003", "auditd");
  EXPECT_EQ(find(host.assess(), "AGT007")->severity, FindingSeverity::low);
  host.remove("/etc/systemd/system/multi-user.target.wants/mdatp.service");
  const Assessment off = host.assess();
  EXPECT_EQ(find(off, "AGT007")->severity, FindingSeverity::high);
  EXPECT_TRUE(find(off, "AGT008"));
  EXPECT_EQ(to_string(off.verdict), "blocked");
  host.link("/etc/systemd/system/mdatp.service", "/dev/null");
  EXPECT_THAT(find(host.assess(), "AGT008")->diagnosis, HasSubstr("masked"));
}

TEST(AgentChecks, OurOwnSensorNeedNotBeEnabledYet) {
  FakeHost host;
  const std::string unit = "/usr/lib/systemd/system/auditshift-sensord.service";
  host.audit(2)
      .write("/etc/auditshift/managed.json", "{}")
      .write(unit, "[Install]\nWantedBy=multi-user.target\n");
  const Assessment off = host.assess();
  ASSERT_TRUE(find(off, "AGT008"));
  EXPECT_EQ(find(off, "AGT008")->severity, FindingSeverity::info);
  EXPECT_EQ(find(off, "AGT008")->blocks, Blocks::none);
  host.link("/etc/systemd/system/auditshift-sensord.service", "/dev/null");
  EXPECT_EQ(find(host.assess(), "AGT008")->blocks, Blocks::overridable) << "masked is somebody's decision";
}

TEST(AgentChecks, ABrokenManagedFileBlocks) {
  FakeHost host;
  host.audit(1).mdatp("101.24102.0000", "auditd").managed("{\"features\": {},}");
  EXPECT_EQ(verdict(host), "blocked");
  EXPECT_EQ(find(host.assess(), "AGT010")->blocks, Blocks::mandatory);
}

TEST(AgentChecks, AnOverrideAndPoliciesAreTold) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .managed(
          R"({"exclusionSettings": {"mergePolicy": "admin_only"}, "features": {"ebpfSupplementaryEventProvider": "disabled"}})")
      .write("/etc/opt/microsoft/mdatp/managed/mdeattach_managed.json", "{}");
  const Assessment assessment = host.assess();
  EXPECT_TRUE(find(assessment, "AGT012"));
  EXPECT_EQ(find(assessment, "AGT013")->severity, FindingSeverity::medium);
  EXPECT_TRUE(assessment.facts.agent.managed_overridden);
}

TEST(AgentChecks, AnAgentThatDoesNotAnswerIsUnknownNotGuessed) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .write("/auditshift-capture/mdatp-health", "Could not connect to the daemon.\n");
  const Assessment assessment = host.assess();
  EXPECT_TRUE(find(assessment, "AGT002"));
  EXPECT_TRUE(find(assessment, "AGT003"));
  EXPECT_EQ(outcome(assessment, "AGT009"), "not-run");
}

TEST(AgentChecks, ExclusionsNeedABuildThatKnowsThem) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24052.0002", "auditd")
      .write("/opt/a", "")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  EXPECT_EQ(find(host.assess(), "AGT014")->data["preview"], true);
  host.mdatp("101.24092.0001", "auditd");
  EXPECT_FALSE(find(host.assess(), "AGT014"));
}

TEST(AgentChecks, TheAgentsOwnComplaintIsEvidence) {
  FakeHost host;
  host.audit(2)
      .mdatp("101.24102.0000", "auditd")
      .write("/var/log/microsoft/mdatp/microsoft_defender_core_err.log",
             "[x] other\n[y] auditd_manager: Cloud exclusions won't be applied, because auditd is in "
             "lockdown mode. Restart required.\n");
  EXPECT_THAT(evidence(*find(host.assess(), "AUD003")),
              ::testing::Contains(HasSubstr("microsoft_defender_core_err.log:2 [y] auditd_manager")));
}

}  // namespace
}  // namespace auditshift::migrate
