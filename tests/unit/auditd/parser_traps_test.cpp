// SPDX-License-Identifier: Apache-2.0
// Lines that surprise: accepted but surely not meant, or refused for a reason that nobody sees.
#include <gmock/gmock.h>

#include "tests/unit/auditd/sample_host.h"

namespace auditshift::auditd {
namespace {

using ::testing::HasSubstr;

TEST(Traps, CarriageReturnStaysInTheLastWord) {
  EXPECT_EQ(parse("-w /etc/passwd -p wa -k id\r").rule->keys().front(), "id\r");
  EXPECT_EQ(remarks_of("-w /etc/passwd -p wa -k id\r"),
            "27: the line ends with CR LF; auditctl takes the carriage return for a part of the last word\n"
            "25: the key ends with a carriage return: \"id\\x0d\"");
  EXPECT_EQ(error_of("-w /etc/passwd -p wa\r"), "21: permissions are r, w, x and a, not \"\\x0d\"");
  EXPECT_FALSE(parse("\r").valid());
}

TEST(Traps, NothingButTheBlankSeparates) {
  EXPECT_EQ(error_of("-w /etc/passwd -p wa -k id\t# c"), "30: \"c\" belongs to no option");
  EXPECT_THAT(remarks_of("-w /etc/passwd -p wa -k id\t# c"), HasSubstr("27: a tab separates nothing"));
  EXPECT_FALSE(parse("\t").valid());
  EXPECT_EQ(parse("-w /etc/passwd -k\xc2\xa0x").rule->keys().front(), "\xc2\xa0x");
  EXPECT_THAT(remarks_of("-w /etc/passwd -k\xc2\xa0x"), HasSubstr("a no-break space separates nothing"));
  EXPECT_THAT(error_of("-a always,exit \xe2\x80\x93S open"), HasSubstr("typographic dash"));
}

TEST(Traps, NoCommentsBehindARuleAndNoContinuation) {
  EXPECT_EQ(error_of("-w /etc/passwd -p wa -k id # c"),
            "28: \"#\" belongs to no option; comments must have a line of their own");
  EXPECT_EQ(error_of("-w /etc/passwd -p wa \\"),
            "22: \"\\\" belongs to no option; lines cannot be continued");
}

TEST(Traps, AKeyThatLooksLikeAnOption) {
  EXPECT_EQ(error_of("-a always,exit -S open -k -F auid>=1000"), "30: \"auid>=1000\" belongs to no option");
  EXPECT_THAT(remarks_of("-w /etc/passwd -k -F"),
              HasSubstr("19: the key is \"-F\", which looks like an option"));
}

TEST(Traps, LongLinesGoOnAsAnotherRule) {
  const std::string text = "#" + std::string(6142, 'x') + "-w /etc/passwd -p wa -k tail\n-D\n";
  const std::vector<Line> lines = parse_rules(text, "a.rules", sample_options());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].cut);
  EXPECT_EQ(lines[0].diagnostics[0].column, 6144);
  ASSERT_TRUE(lines[1].rule);
  EXPECT_EQ(lines[1].origin.line, 1);
  EXPECT_EQ(lines[2].origin.line, 2);
  EXPECT_EQ(lines[0].text + lines[1].text + "\n" + lines[2].text + "\n", text);
}

TEST(Traps, ANulByteEndsTheLine) {
  const std::string text("-D\0 -k mdatp", 12);
  const Line line = parse_line(text, {}, sample_options());
  EXPECT_TRUE(line.valid());
  EXPECT_EQ(line.text, text);
  EXPECT_EQ(line.controls[0].argument, "");
  EXPECT_EQ(line.diagnostics[0].column, 3);
}

TEST(Traps, DenseLinesLoseTheirEnd) {
  std::string line = "-a exit,always";
  for (int i = 0; i < 40; ++i) line += " -S 0";
  line += " -S 1";
  EXPECT_FALSE(parse(line).rule->has_syscall(1));
  EXPECT_THAT(remarks_of(line), HasSubstr("auditctl passes over the last 10"));
  EXPECT_THAT(error_of(line, {4, 2, 0}), HasSubstr("too many words for its length"));
}

TEST(Traps, SyscallsWithoutAnArch) {
  EXPECT_THAT(remarks_of("-a always,exit -S execve"), HasSubstr("19: without an arch field"));
  EXPECT_EQ(remarks_of("-a always,exit -F arch=b64 -S execve"), "");
}

TEST(Traps, ExcludeRulesThatSwitchTheListOff) {
  EXPECT_THAT(
      remarks_of("-a always,exclude -F euid=0", {3, 1, 2}),
      HasSubstr(
          "22: the exclude list does not evaluate euid: this rule does nothing, and no rule of the list "
          "behind it is looked at"));
  EXPECT_THAT(remarks_of("-a always,exclude -F msgtype=CWD -F key=x -F perm=wa", {3, 1, 2}),
              HasSubstr("evaluate key"));
  EXPECT_EQ(remarks_of("-a never,exclude -F msgtype=CWD"),
            "1: the exclude list does not look at the action: never excludes, as always does");
  EXPECT_THAT(remarks_of("-a always,exclude"), HasSubstr("never matches"));
}

TEST(Traps, RulesThatNeverMatch) {
  EXPECT_THAT(remarks_of("-a always,exit -F arch=b64 -F arch=b32 -S open"),
              HasSubstr("31: a rule with two arch fields"));
  EXPECT_THAT(remarks_of("-a always,exit -F arch=aarch64 -S openat"), HasSubstr("do not run on x86_64"));
  EXPECT_THAT(remarks_of("-a never,user -F subj_type=crond_t"),
              HasSubstr("subj_type never matches without SELinux"));
  EXPECT_THAT(remarks_of("-a always,task -F exe=/usr/bin/ls"),
              HasSubstr("exe never matches on the task list"));
}

TEST(Traps, ListingsThatMislead) {
  EXPECT_EQ(remarks_of("-a never,exit -F path=/usr/bin/ls -F perm=x"),
            "1: auditctl -l shows this exclusion as a watch");
  EXPECT_EQ(remarks_of("-a always,exit -F arch=b64 -S open -F exe!=/usr/bin/ls"),
            "39: auditctl -l of this version shows the rule as exe=");
  EXPECT_EQ(remarks_of("-a always,exit -F arch=b64 -S open -F exe!=/usr/bin/ls", {4, 0, 2}), "");
}

TEST(Traps, UnsetLoginIds) {
  EXPECT_THAT(remarks_of("-a always,exit -F arch=b64 -S open -F auid>=1000"),
              HasSubstr("matches daemons too"));
  EXPECT_EQ(remarks_of("-a always,exit -F arch=b64 -S open -F auid>=1000 -F auid!=unset"), "");
}

TEST(Traps, NumbersThatAreRead0therwise) {
  const std::string start = "-a always,exit -F arch=b64 -S open -F ";
  EXPECT_EQ(remarks_of(start + "uid=010"), "43: a number that begins with 0 is octal");
  EXPECT_EQ(remarks_of(start + "uid=10abc"), "43: the number ends before \"abc\", which is passed over");
  EXPECT_EQ(remarks_of(start + "saddr_fam=inet"), "49: address families are numbers; \"inet\" counts as 0");
  EXPECT_EQ(remarks_of(start + "sessionid=junk"), "49: \"junk\" is no session id and counts as 0");
  EXPECT_EQ(remarks_of("-b 08"), "4: auditctl reads this number as 0");
  EXPECT_THAT(remarks_of("--backlog_wait_time 60001"), HasSubstr("the kernel's HZ"));
}

TEST(Traps, PathsOfTheMoment) {
  EXPECT_THAT(remarks_of("-w /gone/file -p wa"),
              HasSubstr("4: the parent directory of /gone/file does not exist"));
  EXPECT_THAT(remarks_of("-a always,exit -F dir=/opt/none -F perm=wa"),
              HasSubstr("the directory /opt/none does not exist"));
  EXPECT_THAT(remarks_of("-w /etc/*.conf -p wa"), HasSubstr("wildcards in a path are taken literally"));
  EXPECT_THAT(remarks_of("-w /etc/../x -p wa"), HasSubstr("\"..\" in a path is taken literally"));
  EXPECT_EQ(remarks_of("-w /etc/passwd -p wa"), "");
}

TEST(Traps, OptionsThatSwallowTheRule) {
  const Line line = parse("-w /etc/passwd -p wa -v");
  EXPECT_TRUE(line.valid());
  EXPECT_FALSE(line.rule);
  EXPECT_THAT(remarks_of("-w /etc/passwd -p wa -v"), HasSubstr("is not loaded"));
}

TEST(Traps, DeletingByKeyIsBySubstring) {
  EXPECT_THAT(remarks_of("-D -k mdatp"), HasSubstr("every rule whose key contains"));
}

}  // namespace
}  // namespace auditshift::auditd
