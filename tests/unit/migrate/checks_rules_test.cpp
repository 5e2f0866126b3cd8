// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RuleChecks, ABrokenLineIsShownWithTheMeantWord) {
  FakeHost host;
  host.audit(1).augenrules().rules(
      "1.rules", "-c\n-a always,exit -F arch=b64 -S renameta -k k\n-w /etc/passwd -p wa -k id\n");
  const Assessment assessment = host.assess();
  const Finding* finding = find(assessment, "AUD101");
  ASSERT_TRUE(finding);
  EXPECT_THAT(evidence(*finding).at(0), HasSubstr("/etc/audit/rules.d/1.rules:2"));
  EXPECT_THAT(evidence(*finding).at(0), HasSubstr("did you mean renameat?"));
  EXPECT_THAT(finding->remediations.at(0).argv,
              ElementsAre("auditshift", "rules", "check", "/etc/audit/rules.d/1.rules"));
  EXPECT_FALSE(find(assessment, "AUD103"));  // -c goes on
}

TEST(RuleChecks, ALoadThatStopsHalfWayLosesTheRest) {
  FakeHost host;
  host.audit(1)
      .augenrules()
      .rules("1.rules", "-w /etc/passwd -p wa -k id\n-a nonsense\n-w /etc/group -p wa -k id\n")
      .rules("99.rules", "-e 2\n");
  const Assessment assessment = host.assess();
  const Finding* finding = find(assessment, "AUD103");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->severity, FindingSeverity::high);
  EXPECT_EQ(finding->data["lost"], 2);  // the group watch and the lock
  EXPECT_FALSE(find(assessment, "AUD004"));
}

TEST(RuleChecks, RulesBehindAnExclusionAreDead) {
  FakeHost host;
  host.audit(1).augenrules().rules("1.rules",
                                   "-a never,exit -F arch=b64 -S rename\n"
                                   "-a always,exit -F arch=b64 -S rename -F dir=/etc -k dead\n"
                                   "-a always,exit -F arch=b64 -S rename,unlink -k alive\n");
  const Assessment assessment = host.assess();
  const Finding* finding = find(assessment, "AUD104");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->data["count"], 1);
  EXPECT_EQ(finding->data["rules"][0]["line"], 2);
  EXPECT_EQ(finding->data["rules"][0]["behind_line"], 1);
}

TEST(RuleChecks, AProgramDirectoryInDirIsTheWrongField) {
  FakeHost host;
  host.audit(1).rules(
      "1.rules",
      "-a never,exit -F arch=b64 -S all -F dir=/usr/lib/postfix/sbin\n-a never,exit -F dir=/srv/cache\n");
  const Assessment assessment = host.assess();
  EXPECT_EQ(find(assessment, "AUD105")->data["count"], 1);
}

TEST(RuleChecks, AMissing32BitTwinIsFound) {
  FakeHost host;
  host.audit(1).rules("1.rules",
                      "-a always,exit -F arch=b64 -S execve -F euid=0 -k a\n"
                      "-a always,exit -F arch=b32 -S execve -F euid=0 -k b\n"
                      "-a always,exit -F arch=b64 -S rename -F euid=5 -k c\n");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD106"));
  EXPECT_THAT(
      evidence(*find(assessment, "AUD106")),
      ElementsAre("/etc/audit/rules.d/1.rules:3 -a always,exit -F arch=b64 -S rename -F euid=5 -k c"));
}

TEST(RuleChecks, TaskNeverSilencesEverything) {
  FakeHost host;
  host.audit(1).rules("1.rules", "-a task,never\n");
  EXPECT_TRUE(find(host.assess(), "AUD107"));
  FakeHost narrow;
  narrow.audit(1).rules("1.rules", "-a never,task -F uid=33\n");
  EXPECT_EQ(outcome(narrow.assess(), "AUD107"), "nothing");
}

TEST(RuleChecks, WhatStaysWithAuditIsListed) {
  FakeHost host;
  host.audit(1).rules("1.rules",
                      "-a always,user -F uid=0\n"
                      "-w /etc/shadow -p r -k secret\n"
                      "-a always,exit -F arch=b64 -S execve -k exec\n");
  EXPECT_EQ(find(host.assess(), "AUD109") == nullptr, false);
  const Assessment assessment = host.assess();
  EXPECT_EQ(find(assessment, "AUD109")->data["count"], 2);
}

TEST(RuleChecks, BaselinesAreNamedByTheirComments) {
  FakeHost host;
  host.audit(1)
      .rules("30-stig.rules", "## DISA STIG rules\n-w /etc/passwd -p wa\n")
      .rules("50.rules", "# CIS Benchmark 4.1.4\n");
  const Assessment assessment = host.assess();
  EXPECT_EQ(find(assessment, "AUD110")->data["baselines"], (base::Json{"CIS Benchmark", "DISA STIG"}));
}

TEST(RuleChecks, FilesThatCannotBeReadBlockUntilAccepted) {
  FakeHost host;
  host.audit(1).link("/etc/audit/rules.d/1.rules", "2.rules").link("/etc/audit/rules.d/2.rules", "1.rules");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD102"));
  EXPECT_EQ(find(assessment, "AUD102")->evidence.size(), 2U);
  EXPECT_EQ(to_string(assessment.verdict), "blocked");
}

TEST(RuleChecks, WhatOnlyDefenderRecordedLeavesTheLog) {
  FakeHost host;
  host.audit(1)
      .rules("mdatp.rules",
             "-a exit,always -F arch=b64 -S rename,connect -k mdatp\n-a exit,always -F arch=b64 -S chmod -k "
             "mdatp\n")
      .rules("own.rules", "-a always,exit -F arch=b64 -S chmod -k perm\n");
  const Assessment assessment = host.assess();
  ASSERT_TRUE(find(assessment, "AUD112"));
  EXPECT_EQ(find(assessment, "AUD112")->data["event_classes"], (base::Json{"file_change", "network"}));
  host.rules("more.rules", "-a always,exit -F arch=b64 -S unlink,bind -k own\n");
  EXPECT_EQ(outcome(host.assess(), "AUD112"), "nothing");
}

TEST(RuleChecks, TheLogTellsWhatDefendersRulesCost) {
  FakeHost host;
  host.audit(1)
      .rules("mdatp.rules", "-a exit,always -F arch=b64 -S rename -k mdatp\n")
      .write("/auditshift-capture/log-statistics.json", R"({
    "days": 2, "first_day": "2024-06-01", "last_day": "2024-06-02", "total": [1000, 100000],
    "by_key": {"mdatp": {"2024-06-01": [600, 60000], "2024-06-02": [300, 30000]}}, "by_record_type": {}, "by_executable": {}, "by_syscall": {},
    "classes": [], "classes_folded": 0, "lines": 3000, "malformed": 0, "truncated": 0, "interleaved": 0, "unfinished": 0,
    "files": ["/var/log/audit/audit.log"], "errors": []})");
  const Assessment assessment = host.assess();
  const Finding* finding = find(assessment, "AUD111");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->data["events_per_day"], 450);
  EXPECT_EQ(finding->data["share_percent"], 90);
}

}  // namespace
}  // namespace auditshift::migrate
