// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion.h"

#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

/// One line for each intent: id, result, entry, consent, number of sources.
std::vector<std::string> table(const FakeHost& host) {
  std::vector<std::string> lines;
  for (const ExclusionIntent& intent : host.assess().exclusions) {
    std::string entry = "-";
    if (intent.entry) entry = std::string(to_string(intent.entry->kind)) + ":" + intent.entry->value;
    lines.push_back(intent.id + " | " + std::string(to_string(intent.result)) + " | " + entry + " | " +
                    (intent.consent_needed ? "consent" : "free") + " | " +
                    std::to_string(intent.sources.size()));
  }
  return lines;
}

using Table = std::vector<std::string>;

TEST(Exclusions, ThreeLinesOfTheSupportToolAreOneIntent) {
  FakeHost host;
  host.audit(1)
      .write("/usr/sbin/named", "")
      .rules("exclude.rules",
             "-a exit,never -S accept -S bind -F exe=/usr/sbin/named -k exclude\n"
             "-a exit,never -S rename -S unlink -F exe=/usr/sbin/named -k exclude\n"
             "-a exit,never -S chown -S bpf -F exe=/usr/sbin/named -k exclude\n");
  EXPECT_EQ(table(host),
            (Table{"process:/usr/sbin/named | broader | process:/usr/sbin/named | consent | 3"}));
}

TEST(Exclusions, AreExactOnlyWhenEverySyscallOfEveryAbiIsMuted) {
  FakeHost host;
  host.audit(1)
      .write("/opt/a", "")
      .write("/opt/b", "")
      .write("/opt/c", "")
      .rules("1.rules",
             "-a never,exit -F exe=/opt/a\n"
             "-a never,exit -F arch=b64 -S all -F exe=/opt/b\n"
             "-a never,exit -F arch=b64 -S all -F exe=/opt/c\n"
             "-a never,exit -F arch=b32 -S all -F exe=/opt/c\n");
  EXPECT_EQ(table(host), (Table{"process:/opt/a | exact | process:/opt/a | free | 1",
                                "process:/opt/b | broader | process:/opt/b | consent | 1",
                                "process:/opt/c | exact | process:/opt/c | free | 2"}));
}

TEST(Exclusions, FollowLinksOfTheHost) {
  FakeHost host;
  host.audit(1)
      .write("/usr/bin/cat", "")
      .link("/bin", "usr/bin")
      .rules("1.rules", "-a never,exit -F exe=/bin/cat\n");
  EXPECT_EQ(table(host), (Table{"process:/bin/cat | exact | process:/usr/bin/cat | free | 1"}));
}

TEST(Exclusions, WithDefenderEveryEntryCostsProtection) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .write("/opt/a", "")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  const Assessment assessment = host.assess();
  ASSERT_EQ(assessment.exclusions.size(), 1U);
  EXPECT_EQ(assessment.exclusions[0].protection_impact.size(), 3U);
  EXPECT_TRUE(assessment.exclusions[0].consent_needed);
  EXPECT_EQ(to_string(assessment.verdict), "needs-consent");
  const Assessment accepted = host.assess({.skip = {}, .accept = {"process:/opt/a"}});
  EXPECT_FALSE(accepted.exclusions[0].consent_needed);
  EXPECT_EQ(to_string(accepted.verdict), "ready");
}

TEST(Exclusions, ThatTheManagedFileHasNeedNothing) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .managed(
          R"({"exclusionSettings": {"exclusions": [{"$type": "excludedFileName", "name": "/opt/a", "scopes": ["global"]}]}})")
      .write("/opt/a", "")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n");
  EXPECT_EQ(table(host), (Table{"process:/opt/a | exact | process:/opt/a | free | 1"}));
}

TEST(Exclusions, WithoutEquivalentSaySo) {
  FakeHost host;
  host.audit(1).rules("1.rules",
                      "-a exit,never -F auid!=0 -F auid<500\n"
                      "-a exclude,always -F msgtype=CWD\n"
                      "-a never,exit -F pid=4711\n"
                      "-a never,exit -F arch=b64 -S rename\n"
                      "-a never,exit -F exe=/gone/away\n"
                      "-a never,task\n"
                      "-a never,user -F uid=33\n"
                      "-a never,exit -F exe!=/opt/a\n");
  EXPECT_EQ(table(host),
            (Table{"exit auid!=0 auid<500 | none | - | free | 1", "exclude msgtype=CWD | none | - | free | 1",
                   "exit pid=4711 | none | - | free | 1", "exit rename | none | - | free | 1",
                   "process:/gone/away | none | - | free | 1", "task | none | - | free | 1",
                   "user uid=33 | none | - | free | 1", "exit exe!=/opt/a | none | - | free | 1"}));
}

TEST(Exclusions, ThatQuietOwnRulesStay) {
  FakeHost host;
  host.audit(1)
      .write("/opt/a", "")
      .rules("1.rules", "-a never,exit -F exe=/opt/a\n-w /etc/passwd -p wa -k own\n");
  EXPECT_TRUE(host.assess().exclusions.at(0).serves_user_rules);
  FakeHost other;
  other.audit(1)
      .write("/opt/a", "")
      .rules("1.rules", "-w /etc/passwd -p wa -k own\n-a never,exit -F exe=/opt/a\n");
  EXPECT_FALSE(other.assess().exclusions.at(0).serves_user_rules);
}

}  // namespace
}  // namespace auditshift::migrate
