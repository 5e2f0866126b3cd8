// SPDX-License-Identifier: Apache-2.0
#include "migrate/owner.h"

#include <gtest/gtest.h>

#include "rule_text.h"

namespace auditshift::migrate {
namespace {

auditd::RuleFile file(const char* path, const char* content) {
  auditd::RuleFile result;
  result.path = path;
  result.content = content;
  return result;
}

TEST(FileRole, KnowsDefendersFilesByNameAndGuid) {
  const char* header = "\n## managed\n## cdbb87e7-66d1-40e8-b090-30ff3e88fc08\n-r 2500\n";
  EXPECT_EQ(role_of(file("/etc/audit/rules.d/mdatp.rules", "")), FileRole::defender_rules);
  EXPECT_EQ(role_of(file("/etc/audit/rules.d/mdatp.rate_limit.rules", header)), FileRole::defender_managed);
  EXPECT_EQ(role_of(file("/etc/audit/rules.d/77-renamed.rules", header)), FileRole::defender_managed);
  EXPECT_EQ(role_of(file("/etc/audit/rules.d/exclude.rules", "")), FileRole::support_tool);
  EXPECT_EQ(role_of(file("/etc/audit/rules.d/50-own.rules", "# not mdatp\n")), FileRole::ordinary);
  EXPECT_EQ(role_of(file("/etc/audit/audit.rules", header)), FileRole::ordinary);
}

TEST(Owner, GoesByKeyThenByFileThenByEffect) {
  const auto owner = [](const char* text, FileRole role = FileRole::ordinary) {
    return to_string(owner_of(rule(text), role));
  };
  EXPECT_EQ(owner("-a exit,always -F arch=b64 -S rename -k mdatp"), "defender");
  EXPECT_EQ(owner("-a exit,always -F arch=b64 -S connect -k mdatpmbr"), "defender");
  EXPECT_EQ(owner("-a exit,always -F arch=b64 -S rename -k not-mdatp-mine"), "user");
  EXPECT_EQ(owner("-a exit,always -F arch=b64 -S rename -k mdatp2"), "user");
  EXPECT_EQ(owner("-a exit,always -F arch=b64 -S rename", FileRole::defender_rules), "defender");
  EXPECT_EQ(owner("-a exit,never -S rename -F exe=/usr/bin/x -k exclude"), "defender-exclusion");
  EXPECT_EQ(owner("-a exit,never -S rename -F exe=/usr/bin/x", FileRole::support_tool), "defender-exclusion");
  EXPECT_EQ(owner("-a exit,never -S rename -F exe=/usr/bin/x -k quiet"), "exclusion");
  EXPECT_EQ(owner("-a exclude,always -F msgtype=CWD"), "exclusion");
  EXPECT_EQ(owner("-a task,never"), "exclusion");
  EXPECT_EQ(owner("-w /etc/passwd -p wa -k identity"), "user");
}

}  // namespace
}  // namespace auditshift::migrate
