// SPDX-License-Identifier: Apache-2.0
#include "migrate/matching.h"

#include <gtest/gtest.h>

#include "rule_text.h"

namespace auditshift::migrate {
namespace {

bool covered(const char* earlier, const char* later) { return covers(rule(earlier), rule(later)); }
bool overlap(const char* a, const char* b) { return may_overlap(rule(a), rule(b)); }

TEST(Covers, TakesARuleWithFewerConditionsAndMoreSyscalls) {
  EXPECT_TRUE(covered("-a never,exit -S all -F exe=/usr/bin/x",
                      "-a always,exit -F arch=b64 -S execve -F exe=/usr/bin/x -k k"));
  EXPECT_TRUE(
      covered("-a never,exit -F arch=b64 -S open,openat", "-a always,exit -F arch=b64 -S openat -F uid=0"));
  EXPECT_FALSE(covered("-a never,exit -F arch=b64 -S openat", "-a always,exit -F arch=b64 -S open,openat"));
  EXPECT_FALSE(covered("-a never,exit -F arch=b64 -S openat", "-a always,exit -S openat"));
  EXPECT_FALSE(covered("-a never,exit -S all -F exe=/usr/bin/x", "-a always,exit -S execve"));
}

TEST(Covers, FollowsDirectoriesAndPermissions) {
  EXPECT_TRUE(covered("-a never,exit -F dir=/srv", "-w /srv/app/log -p wa"));
  EXPECT_FALSE(covered("-a never,exit -F dir=/srv", "-w /srvother/log -p wa"));
  EXPECT_TRUE(covered("-w /etc/passwd -p wa", "-w /etc/passwd -p w"));
  EXPECT_FALSE(covered("-w /etc/passwd -p w", "-w /etc/passwd -p wa"));
}

TEST(Covers, ComparesNumbersOnlyWhereThatIsSound) {
  EXPECT_TRUE(covered("-a never,exit -S all -F auid<500", "-a always,exit -S execve -F auid=100"));
  EXPECT_FALSE(covered("-a never,exit -S all -F auid<500", "-a always,exit -S execve -F auid=500"));
  EXPECT_TRUE(covered("-a never,exit -S all -F uid!=0", "-a always,exit -S execve -F uid=33"));
  EXPECT_FALSE(covered("-a never,exit -S all -F exit<0", "-a always,exit -S execve -F exit=-1"));
}

TEST(Covers, NeverAcrossLists) { EXPECT_FALSE(covered("-a never,task", "-a always,exit -S execve")); }

TEST(MayOverlap, IsFalseOnlyForContradictions) {
  EXPECT_TRUE(overlap("-a never,exit -S all -F exe=/usr/bin/x", "-w /etc/passwd -p wa"));
  EXPECT_FALSE(overlap("-a never,exit -F arch=b64 -S rename", "-a always,exit -F arch=b64 -S execve"));
  EXPECT_FALSE(overlap("-a never,exit -F arch=b64 -S execve", "-a always,exit -F arch=b32 -S all"));
  EXPECT_FALSE(overlap("-a never,exit -S all -F auid=5", "-a always,exit -S all -F auid=6"));
  EXPECT_TRUE(
      overlap("-a never,exit -S all -F gid=5", "-a always,exit -S all -F gid=6"));  // supplementary groups
}

TEST(MayOverlap, TwoPathsDoNotExcludeEachOther) {
  EXPECT_TRUE(overlap("-a never,exit -F dir=/etc", "-w /etc/passwd -p wa"));
  EXPECT_TRUE(overlap("-a never,exit -F dir=/srv", "-w /etc/passwd -p wa"));  // rename, hard link
  EXPECT_TRUE(overlap("-a never,exit -S all -F obj_uid=5", "-a always,exit -S all -F obj_uid=6"));
}

TEST(MayOverlap, ReadingAndWritingIsOneOpen) {
  EXPECT_TRUE(overlap("-w /etc/passwd -p r", "-w /etc/passwd -p wa"));
  EXPECT_FALSE(overlap("-w /etc/passwd -p x", "-w /etc/passwd -p wa"));
}

TEST(MayOverlap, ProgramsDifferOnlyWhenThatIsSure) {
  const auditd::Rule x = rule("-a never,exit -S all -F exe=/usr/bin/x");
  const auditd::Rule y = rule("-a always,exit -S execve -F exe=/bin/y");
  EXPECT_TRUE(may_overlap(x, y));  // one file may have both names
  EXPECT_FALSE(may_overlap(
      x, y, [](const std::string& a, const std::string& b) { return a == "/usr/bin/x" && b == "/bin/y"; }));
}

}  // namespace
}  // namespace auditshift::migrate
