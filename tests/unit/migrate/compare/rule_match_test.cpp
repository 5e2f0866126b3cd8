// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/rule_match.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "events.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::Event;
using sensor::EventKind;

Match match(std::string_view text, const Event& event) { return RuleMatcher(rule(text)).match(event); }

TEST(RuleMatch, CallAndArchitectureDecideFirst) {
  const Event rename = event("rename", "/a", "/b");
  EXPECT_EQ(match("-a always,exit -F arch=b64 -S rename -k k", rename), Match::yes);
  EXPECT_EQ(match("-a always,exit -F arch=b64 -S unlink -k k", rename), Match::no);
  EXPECT_EQ(match("-a always,exit -F arch=b32 -S all -k k", rename), Match::no);
  EXPECT_EQ(match("-a always,exit -S all -k k", rename), Match::yes);
  Event narrow = event("rename");
  narrow.syscall.abi = sensor::Abi::i386;
  narrow.syscall.number = 38;
  EXPECT_EQ(match("-a always,exit -F arch=b32 -S rename -k k", narrow), Match::yes);
  EXPECT_EQ(match("-a always,exit -F arch=b64 -S rename -k k", narrow), Match::no);
}

TEST(RuleMatch, NumbersCompareAsTheKernelDoes) {
  Event call = event("chmod", "/a");
  call.process.auid = sensor::kUnknownId;
  EXPECT_EQ(match("-a always,exit -S chmod -F auid>=1000 -k k", call), Match::yes)
      << "unset is the largest number";
  EXPECT_EQ(match("-a always,exit -S chmod -F auid>=1000 -F auid!=unset -k k", call), Match::no);
  call.syscall.result = -EACCES;
  EXPECT_EQ(match("-a always,exit -S chmod -F exit=-EACCES -k k", call), Match::yes);
  EXPECT_EQ(match("-a always,exit -S chmod -F exit=-EPERM -k k", call), Match::no);
  EXPECT_EQ(match("-a always,exit -S chmod -F success=0 -k k", call), Match::yes);
  EXPECT_EQ(match("-a always,exit -S chmod -F success=1 -k k", call), Match::no);
  EXPECT_EQ(match("-a always,exit -S chmod -F a1&2 -k k", call), Match::yes);
  EXPECT_EQ(match("-a always,exit -S chmod -F a1=3 -k k", call), Match::no);
  EXPECT_EQ(match("-a always,exit -S chmod -F gid=5 -k k", call), Match::unknown)
      << "it may be a further group";
  call.syscall.arguments = {};
  EXPECT_EQ(match("-a always,exit -S chmod -F a1=3 -k k", call), Match::unknown)
      << "not kept by every provider";
}

TEST(RuleMatch, NamesAreNotTheFilesThatAWatchAsksFor) {
  EXPECT_EQ(match("-w /etc/passwd -p wa -k k", event("chmod", "/etc/passwd")), Match::yes);
  EXPECT_EQ(match("-w /etc/passwd -p wa -k k", event("chmod", "/etc/other")), Match::unlikely)
      << "a hard link";
  EXPECT_EQ(match("-w /etc/passwd -p wa -k k", event("fchmod")), Match::unknown) << "no name at all";
  EXPECT_EQ(match("-w /etc/passwd -p wa -k k", event("rename", "/etc/new", "/etc/passwd")), Match::yes);
  EXPECT_EQ(match("-a always,exit -F dir=/etc -F perm=wa -k k", event("unlink", "/etc/a/b")), Match::yes);
  EXPECT_EQ(match("-a always,exit -F dir=/etc -F perm=wa -k k", event("unlink", "/etcetera")),
            Match::unlikely);
}

TEST(RuleMatch, PermissionsFollowTheCall) {
  Event open = event("openat", "/etc/shadow");
  open.flags = O_RDONLY;
  EXPECT_EQ(match("-w /etc/shadow -p r -k k", open), Match::yes);
  EXPECT_EQ(match("-w /etc/shadow -p wa -k k", open), Match::no);
  open.flags = O_WRONLY;
  EXPECT_EQ(match("-w /etc/shadow -p wa -k k", open), Match::yes);
  EXPECT_EQ(match("-w /etc/shadow -p x -k k", event("execve", "/etc/shadow")), Match::yes);
  EXPECT_EQ(match("-w /etc/shadow -p wa -k k", event("setxattr", "/etc/shadow")), Match::yes);
  EXPECT_EQ(match("-w /etc/shadow -p wa -k k", event("connect")), Match::no);
  EXPECT_EQ(match("-w /etc/shadow -p wa -k k", event("openat2", "/etc/shadow")), Match::unknown)
      << "its flags lie in memory";
}

TEST(RuleMatch, ProgramsAreComparedByName) {
  EXPECT_EQ(match("-a always,exit -S rename -F exe=/usr/bin/worker -k k", event("rename")), Match::yes);
  EXPECT_EQ(match("-a always,exit -S rename -F exe=/usr/bin/cat -k k", event("rename")), Match::no);
  EXPECT_EQ(match("-a always,exit -S rename -F exe=/mnt/bin/worker -k k", event("rename")), Match::unlikely)
      << "seen through a mount";
  EXPECT_EQ(match("-a always,exit -S rename -F exe!=/usr/bin/worker -k k", event("rename")), Match::no);
}

TEST(RuleMatch, WhatNoEventTellsIsUnknown) {
  EXPECT_EQ(match("-a always,exit -S rename -F filetype=file -k k", event("rename")), Match::unknown);
  EXPECT_EQ(match("-a always,exit -S rename -F inode=7 -k k", event("rename")), Match::unknown);
}

TEST(RuleMatch, AProcessEndedByASignalMadeNoCall) {
  Event end = event("exit_group");
  EXPECT_EQ(match("-a always,exit -S exit_group -k k", end), Match::yes);
  end.exit_signal = 9;
  EXPECT_EQ(match("-a always,exit -S exit_group -k k", end), Match::unlikely);
  Event killed = event("exit_group");
  killed.syscall = event("rename").syscall;
  killed.kind = EventKind::exit;
  EXPECT_EQ(match("-a always,exit -S rename -k k", killed), Match::unlikely) << "killed inside a rename";
}

TEST(RuleBook, TheFirstRuleThatMatchesDecides) {
  const RuleBook rules =
      book({"-a never,exit -S rename -F exe=/bin/linked -k quiet", "-a always,exit -S rename -k first",
            "-a always,exit -S rename,unlink -k second"});
  EXPECT_FALSE(rules.expected(event("rename", "/a", "/b")).rule) << "excluded, the program's name resolved";
  EXPECT_FALSE(rules.expected(event("rename", "/a", "/b")).possible);
  Event other = event("rename", "/a", "/b");
  other.process.executable.text = "/usr/bin/other";
  EXPECT_EQ(rules.expected(other).rule, 1U);
  EXPECT_EQ(rules.expected(event("unlink", "/a")).rule, 2U);
  EXPECT_FALSE(rules.expected(event("mkdir", "/a")).possible);
}

TEST(RuleBook, DoubtAboutAnEarlierRuleIsDoubtAboutTheAnswer) {
  const RuleBook rules =
      book({"-a never,exit -S rename -F inode=7 -k quiet", "-a always,exit -S rename -k k"});
  const auto expectation = rules.expected(event("rename", "/a", "/b"));
  EXPECT_TRUE(expectation.possible);
  EXPECT_FALSE(expectation.rule);
}

TEST(RuleBook, RecordsBelongToRulesByKeyThenByWhatTheyAskFor) {
  const RuleBook rules = book({"-a always,exit -S rename -k same", "-a always,exit -S unlink -k same",
                               "-w /etc/passwd -p wa -k watch", "-a always,exit -S connect -k a -k b",
                               "-a always,exit -S chmod -F uid=0"});
  const auto made_by = [&](Event record, std::string_view key) {
    record.audit_key = key;
    return rules.made_by(record);
  };
  EXPECT_EQ(made_by(event("rename"), "same"), 0U);
  EXPECT_EQ(made_by(event("unlink"), "same"), 1U);
  EXPECT_EQ(made_by(event("chmod", "/other/name"), "watch"), 2U) << "by another of its names";
  EXPECT_EQ(made_by(event("connect"), std::string_view("a\x01"
                                                       "b")),
            3U);
  EXPECT_EQ(made_by(event("chmod"), ""), 4U);
  EXPECT_EQ(made_by(event("bpf"), ""), std::nullopt) << "of the kernel's own";
  EXPECT_EQ(made_by(event("rename"), "gone"), std::nullopt);
}

TEST(RuleBook, TheSensorIsToldToLookAtWhatTheRulesAskForOnly) {
  const sensor::EbpfOptions narrow = book({"-a always,exit -F arch=b64 -S rename -k k"}).widest_options();
  EXPECT_EQ(narrow.kinds, sensor::KindSet{EventKind::rename});
  EXPECT_FALSE(narrow.reads);
  const sensor::EbpfOptions reads = book({"-a always,exit -F arch=b64 -S openat -k k"}).widest_options();
  EXPECT_TRUE(reads.reads);
  EXPECT_TRUE(reads.kinds.contains(EventKind::create));
  EXPECT_FALSE(book({"-a always,exit -F arch=b64 -S openat -F perm=wa -k k"}).widest_options().reads);
  EXPECT_TRUE(book({"-a never,exit -F arch=b64 -S rename"}).widest_options().kinds.empty());
}

}  // namespace
}  // namespace auditshift::migrate::compare
