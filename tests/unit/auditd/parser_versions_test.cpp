// SPDX-License-Identifier: Apache-2.0
// The same line to different versions of the audit user space.
#include <gmock/gmock.h>

#include "tests/unit/auditd/sample_host.h"

namespace auditshift::auditd {
namespace {

using ::testing::HasSubstr;

TEST(Versions, PermissionsBehindAnArchAddTheirSyscallsFrom313) {
  const char* line = "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=x -k id";
  EXPECT_EQ(listed(line, {3, 0, 9}),
            "-a always,exit -F arch=b64 -S all -F path=/etc/passwd -F perm=x -F key=id");
  EXPECT_EQ(listed(line, {3, 1, 2}),
            "-a always,exit -F arch=b64 -S all -F path=/etc/passwd -F perm=x -F key=id");
  EXPECT_EQ(listed(line, {3, 1, 5}),
            "-a always,exit -F arch=b64 -S execve -F path=/etc/passwd -F perm=x -F key=id");
  EXPECT_EQ(listed(line, {4, 2, 0}),
            "-a always,exit -F arch=b64 -S execve,execveat -F path=/etc/passwd -F perm=x -F key=id");
  EXPECT_EQ(listed("-a always,exit -F arch=b64 -S close -F path=/etc/passwd -F perm=x", {4, 0, 3}),
            "-a always,exit -F arch=b64 -S close,execve -F path=/etc/passwd -F perm=x");
}

TEST(Versions, PermissionSyscallsOfAudit4) {
  const Line line = parse("-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa", {4, 0, 3});
  std::size_t count = 0;
  for (unsigned number = 0; number < 2048; ++number) count += line.rule->has_syscall(number) ? 1U : 0U;
  EXPECT_EQ(count, 38U);
  EXPECT_TRUE(parse("-w /etc/passwd -p wa", {4, 0, 3}).rule->all_syscalls()) << "a watch has no arch";
}

TEST(Versions, ExeOperatorInTheListing) {
  const char* line = "-a always,exit -F arch=b64 -S open -F exe!=/usr/bin/ls";
  for (const AuditVersion version : {AuditVersion{3, 0, 9}, {3, 1, 2}, {4, 0, 0}, {4, 0, 1}}) {
    EXPECT_EQ(listed(line, version), "-a always,exit -F arch=b64 -S open -F exe=/usr/bin/ls")
        << version.to_string();
  }
  for (const AuditVersion version : {AuditVersion{3, 1, 5}, {4, 0, 2}, {4, 2, 1}}) {
    EXPECT_EQ(listed(line, version), line) << version.to_string();
  }
  EXPECT_THAT(error_of(line, {2, 8, 5}), HasSubstr("only before audit 3.0"));
}

TEST(Versions, TheIoUringListCameWith31) {
  EXPECT_NE(error_of("-a always,io_uring -S openat"), "");
  EXPECT_EQ(listed("-a always,io_uring -S openat,unlinkat -F uid=0", {3, 1, 2}),
            "-a always,io_uring -S openat,unlinkat -F uid=0");
  EXPECT_THAT(error_of("-a always,io_uring -S opena", {3, 1, 2}), HasSubstr("[openat]"));
  EXPECT_THAT(error_of("-a always,io_uring -F perm=w", {3, 1, 2}), HasSubstr("takes no permissions"));
}

TEST(Versions, ListNamesLoseTheirCaseFrom31) {
  EXPECT_NE(error_of("-a always,EXIT"), "");
  EXPECT_EQ(listed("-a always,EXIT", {3, 1, 2}), "-a always,exit -S all");
  EXPECT_NE(error_of("-a ALWAYS,exit", {3, 1, 2}), "");
}

TEST(Versions, PrependAndRemoveAreBrokenFrom404To410) {
  EXPECT_EQ(parse("-A always,exit", {4, 0, 3}).rule->verb, RuleVerb::prepend);
  EXPECT_EQ(parse("-A always,exit", {4, 0, 5}).rule->verb, RuleVerb::remove);
  EXPECT_THAT(remarks_of("-A always,exit", {4, 1, 0}), HasSubstr("-A removes the rule"));
  EXPECT_EQ(parse("-A always,exit", {4, 1, 1}).rule->verb, RuleVerb::prepend);
  EXPECT_EQ(error_of("-d always,exit", {4, 0, 4}), "1: audit 4.0.4 does not know the option -d");
  EXPECT_EQ(error_of("-d always,exit", {4, 0, 5}), "");
}

TEST(Versions, NewerSyscallsAndRecordTypes) {
  const char* syscall = "-a always,exit -F arch=b64 -S cachestat";
  EXPECT_NE(error_of(syscall, {3, 0, 9}), "");
  EXPECT_EQ(listed(syscall, {3, 1, 5}), syscall);
  EXPECT_NE(error_of("-a always,exit -F arch=b64 -S openat2", {2, 8, 5}), "");
  EXPECT_NE(error_of("-a always,exclude -F msgtype=TIME_ADJNTPVAL", {2, 8, 5}), "");
  EXPECT_NE(error_of("-a always,exit -S open -F saddr_fam=2", {2, 8, 5}), "");
  EXPECT_NE(error_of("-w /etc/passwd -k ids-recon", {2, 8, 5}), "");
  EXPECT_EQ(error_of("-w /etc/passwd -k ids-file-med", {2, 8, 5}), "");
}

TEST(Versions, SignalsAndHelp) {
  EXPECT_NE(error_of("--signal reload"), "");
  EXPECT_EQ(error_of("--signal reload", {3, 1, 1}), "");
  EXPECT_NE(error_of("-h", {4, 1, 0}), "");
  EXPECT_EQ(error_of("-h", {4, 1, 4}), "");
}

}  // namespace
}  // namespace auditshift::auditd
