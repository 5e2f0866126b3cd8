// SPDX-License-Identifier: Apache-2.0
#include "migrate/explain.h"

#include <gtest/gtest.h>

#include "rule_text.h"

namespace auditshift::migrate {
namespace {

std::string words(const char* text) { return explain(rule(text), "x86_64"); }

TEST(Explain, PutsRulesIntoWords) {
  EXPECT_EQ(words("-w /etc/passwd -p wa -k identity"),
            "records writes and attribute changes of the file /etc/passwd");
  EXPECT_EQ(words("-w /etc/shadow"), "records every access of the file /etc/shadow");
  EXPECT_EQ(words("-a always,exit -F dir=/srv -F perm=x"), "records executions of everything below /srv");
  EXPECT_EQ(
      words("-a always,exit -F arch=b64 -S execve -F euid=0 -F auid>=1000 -F auid!=unset -k root"),
      "records execve, where euid=0, by users logged in with uid 1000 or above, only in login sessions");
  EXPECT_EQ(words("-a always,exit -F arch=b32 -S unlink -F success=0"),
            "records unlink (32-bit calls), only calls that fail");
  EXPECT_EQ(words("-a always,exit -F arch=b64 -S openat -F exit=-EACCES"),
            "records openat, where exit=-EACCES");
  EXPECT_EQ(words("-a never,exit -S all -F exe=/usr/sbin/named"),
            "leaves out every syscall, by /usr/sbin/named");
  EXPECT_EQ(words("-a never,exit -F arch=b64 -S rename -F dir=/srv/cache"),
            "leaves out rename on everything below /srv/cache");
  EXPECT_EQ(words("-a always,exit -F arch=b64 -S all -C uid!=euid"),
            "records every syscall, uid differs from euid");
  EXPECT_EQ(words("-a always,exclude -F msgtype=CWD"), "drops audit records, where msgtype=CWD");
  EXPECT_EQ(words("-a never,task"), "makes no syscall records for new processes");
  EXPECT_EQ(words("-a never,user -F uid=0"), "leaves out messages of user space, where uid=0");
  EXPECT_EQ(words("-a never,filesystem -F fstype=tracefs").substr(0, 18), "drops path records");
  EXPECT_EQ(words("-W /etc/passwd -p wa"),
            "removes the rule that records writes and attribute changes of the file /etc/passwd");
}

TEST(Explain, ShortensLongListsOfSyscalls) {
  EXPECT_EQ(words("-a always,exit -F arch=b64 -S "
                  "rename,renameat,renameat2,rmdir,unlink,unlinkat,ptrace,chmod,fchmod,chown"),
            "records rename, rmdir, unlink, chmod, fchmod, chown, ptrace, unlinkat and 2 more syscalls");
}

TEST(Explain, PutsControlLinesIntoWords) {
  using auditd::ControlKind;
  EXPECT_EQ(explain(auditd::Control{ControlKind::enabled, 2, "2"}), "locks audit until the next boot");
  EXPECT_EQ(explain(auditd::Control{ControlKind::failure_mode, 2, "2"}),
            "panics the machine when records are lost");
  EXPECT_EQ(explain(auditd::Control{ControlKind::delete_all, 0, ""}), "removes all rules");
  EXPECT_EQ(explain(auditd::Control{ControlKind::delete_all, 0, "exclude"}),
            "removes all rules whose key holds exclude");
  EXPECT_EQ(explain(auditd::Control{ControlKind::rate_limit, 2500, "2500"}),
            "drops records beyond 2500 a second");
}

}  // namespace
}  // namespace auditshift::migrate
