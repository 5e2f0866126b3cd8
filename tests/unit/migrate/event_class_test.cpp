// SPDX-License-Identifier: Apache-2.0
#include "migrate/event_class.h"

#include <gtest/gtest.h>

#include "rule_text.h"

namespace auditshift::migrate {
namespace {

std::string judged(const char* text) {
  const CoverageAnswer answer = coverage_of(rule(text), "x86_64");
  std::string words;
  for (const EventClass event_class : answer.classes) words += std::string(to_string(event_class)) + " ";
  return words + std::string(to_string(answer.coverage));
}

TEST(Coverage, GoesByTheClassesOfTheSyscalls) {
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S execve,execveat"), "exec full");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S rename,unlinkat,ptrace"),
            "file_change process_access full");
  EXPECT_EQ(judged("-a always,exit -F arch=b32 -S chown32,fchmod"), "permission full");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S setxattr"), "attribute none");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S connect,settimeofday"), "network time partial");
  EXPECT_EQ(judged("-a always,exit -S all -F uid=0"), "partial");
}

TEST(Coverage, GoesByThePermissionsOfAWatch) {
  EXPECT_EQ(judged("-w /etc/passwd -p w"), "open file_change full");
  EXPECT_EQ(judged("-w /etc/passwd -p wa"), "open file_change permission attribute partial");
  EXPECT_EQ(judged("-w /usr/bin/su -p x"), "exec full");
  EXPECT_EQ(judged("-w /etc/shadow -p r"), "open partial");
}

TEST(Coverage, FallsWithConditionsThatOnlyAuditKnows) {
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S openat -F exit=-EACCES"), "open partial");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S openat -F success=0"), "open partial");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S openat -F filetype=socket"), "open partial");
  EXPECT_EQ(judged("-a always,exit -F arch=b64 -S openat -F subj_type=unconfined_t"), "open partial");
}

TEST(Coverage, DoesNotAriseOutsideTheExitList) {
  EXPECT_EQ(judged("-a always,user -F uid=0"), "not-applicable");
  EXPECT_EQ(judged("-a never,exclude -F msgtype=CWD"), "not-applicable");
  EXPECT_EQ(judged("-a never,task"), "not-applicable");
  EXPECT_EQ(judged("-a never,filesystem -F fstype=tracefs"), "not-applicable");
}

TEST(SyscallNames, AreThoseOfTheRulesArch) {
  EXPECT_EQ(syscall_names(rule("-a always,exit -F arch=b32 -S umount"), "x86_64"),
            std::vector<std::string>{"umount"});
  EXPECT_EQ(syscall_names(rule("-a always,exit -S 59"), "x86_64"), std::vector<std::string>{"execve"});
  EXPECT_TRUE(syscall_names(rule("-a always,exit -S all -F uid=0"), "x86_64").empty());
}

}  // namespace
}  // namespace auditshift::migrate
