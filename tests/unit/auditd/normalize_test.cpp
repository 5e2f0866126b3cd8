// SPDX-License-Identifier: Apache-2.0
#include "auditd/normalize.h"

#include <gmock/gmock.h>
#include <linux/audit.h>

#include "tests/unit/auditd/sample_host.h"

namespace auditshift::auditd {
namespace {

using ::testing::ElementsAre;

TEST(Normalize, ShowsAnExclusionAsAWatch) {
  EXPECT_EQ(listed("-a never,exit -F path=/tmp/foo -F perm=x"), "-w /tmp/foo -p x");
  EXPECT_EQ(listed("-a never,exit -F dir=/etc/ -F perm=x", {4, 2, 1}), "-w /etc/ -p x");
}

TEST(Normalize, GluesAPermissionToThePathBehindIt) {
  EXPECT_EQ(listed("-a always,exit -F perm=x -F path=/usr/bin/yum -F key=k"), " -p x-w /usr/bin/yum -k k");
  EXPECT_EQ(listed("-a always,exit -F perm=wa -k x"), " -p wa -k x");
}

TEST(Normalize, ShowsLongFormsOfWatchesAsWatches) {
  EXPECT_EQ(listed("-a always,exit -F path=/etc/passwd -F perm=wa -k a -k b"),
            "-w /etc/passwd -p wa -k a -k b");
  EXPECT_EQ(listed("-a always,exit -S all -F dir=/etc/ -F perm=wa"), "-w /etc/ -p wa");
  EXPECT_EQ(listed("-a always,exit -F path=/etc/passwd -k x"),
            "-a always,exit -S all -F path=/etc/passwd -F key=x");
}

TEST(Normalize, PutsArchAndSyscallsFirst) {
  EXPECT_EQ(listed("-a exit,always -F uid=0 -F arch=b32 -S chmod -S open -F success=0 -k x"),
            "-a always,exit -F arch=b32 -S open,chmod -F uid=0 -F success=0 -F key=x");
  EXPECT_EQ(listed("-a always,exit -F arch=aarch64 -S openat"), "-a always,exit -F arch=b64 -S openat");
}

TEST(Normalize, LeavesSyscallsOutWhereTheyMeanNothing) {
  EXPECT_EQ(listed("-a always,user -F uid=0"), "-a always,user -F uid=0");
  EXPECT_EQ(listed("-a always,filesystem -F fstype=0x74726163"), "-a always,filesystem -F fstype=tracefs");
  EXPECT_EQ(listed("-a always,filesystem -F fstype=0x9fa0"), "-a always,filesystem -F fstype=40864");
}

TEST(Normalize, ShowsWhatItDoesNotKnowAsNumbers) {
  Rule rule;
  rule.filter = Filter::io_uring;
  rule.syscalls[0] = 1U << 18;
  rule.fields = {
      {300, Op::not_equal, 7, ""}, {AUDIT_MSGTYPE, Op::equal, 99999, ""}, {AUDIT_ARCH, Op::equal, 77, ""}};
  EXPECT_EQ(normalize(rule, {3, 0, 9}, "x86_64"),
            "-a always,(null) -F arch=0x4D -S 18 f300!=7 -F msgtype=99999");
  EXPECT_EQ(normalize(rule, {3, 1, 2}, "x86_64"),
            "-a always,io_uring -F arch=0x4D -S openat f300!=7 -F msgtype=99999");
}

std::vector<std::string> ordered(const std::vector<const char*>& lines) {
  std::vector<Rule> rules;
  for (const char* line : lines) rules.push_back(parse(line).rule.value());
  std::vector<std::string> texts;
  for (const Rule& rule : kernel_order(rules)) texts.push_back(rule.text);
  return texts;
}

TEST(KernelOrder, IsByListThenByEvaluation) {
  EXPECT_THAT(
      ordered({"-a always,exclude -F msgtype=CWD", "-a always,exit -S 1", "-A always,exit -S 2",
               "-a never,task", "-A always,exit -S 3", "-a always,user -F uid=0", "-w /etc/passwd"}),
      ElementsAre("-a always,user -F uid=0", "-a never,task", "-A always,exit -S 3", "-A always,exit -S 2",
                  "-a always,exit -S 1", "-w /etc/passwd", "-a always,exclude -F msgtype=CWD"));
}

TEST(KernelOrder, TakesEachRuleOnceUnlessItIsPrepended) {
  EXPECT_THAT(ordered({"-a always,exit -S 1", "-a always,exit -S 1"}), ElementsAre("-a always,exit -S 1"));
  EXPECT_THAT(ordered({"-a always,exit -S 1", "-A always,exit -S 1"}),
              ElementsAre("-A always,exit -S 1", "-a always,exit -S 1"));
}

TEST(KernelOrder, RemovesExactMatchesOnly) {
  EXPECT_THAT(ordered({"-w /etc/passwd -p wa -k a", "-W /etc/passwd -p wa -k a"}), ElementsAre());
  EXPECT_THAT(ordered({"-w /etc/passwd -p wa -k a", "-W /etc/passwd -p wa"}),
              ElementsAre("-w /etc/passwd -p wa -k a"));
  EXPECT_THAT(ordered({"-a always,exit -F perm=wa -F path=/etc/passwd", "-W /etc/passwd -p wa"}),
              ElementsAre("-a always,exit -F perm=wa -F path=/etc/passwd"));
}

}  // namespace
}  // namespace auditshift::auditd
