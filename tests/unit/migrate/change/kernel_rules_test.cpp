// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "migrate/change/backup_directory.h"
#include "migrate/change/loaded_rules.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/rule_json.h"
#include "migrate/change/rule_moves.h"
#include "tests/unit/migrate/change/fakes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

using auditd::Rule;
using tests::FakeKernel;

constexpr const char* kMixed =
    "-a always,exit -F arch=b64 -S execve -F key=mdatp\n"
    "-a never,exit -F path=/var/log/noise -F perm=w -F key=quiet\n"
    "-a always,exit -F arch=b64 -S unlink -F key=mdatp\n"
    "-w /etc/passwd -p wa -k identity\n"
    "-a always,exit -F arch=b64 -S socket,connect -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S adjtimex -F key=time\n"
    "-a always,exit -F arch=b64 -S ptrace -F key=mdatpmbr\n"
    "-a always,exclude -F msgtype=CWD\n"
    "-a never,task -F uid=33\n";

std::vector<Rule> with_key(const std::vector<Rule>& rules, std::string_view prefix) {
  std::vector<Rule> found;
  for (const Rule& rule : rules)
    if (!rule.keys().empty() && rule.keys().front().starts_with(prefix)) found.push_back(rule);
  return found;
}

struct Bench {
  tests::TemporaryTree tree;
  std::shared_ptr<FakeKernel> kernel;
  Host host;
  BackupDirectory backups;
  std::unique_ptr<Step> step;
  base::Json captured;

  explicit Bench(std::string_view rules)
      : kernel(std::make_shared<FakeKernel>(rules)),
        backups(std::make_shared<base::Sysroot>(tree.open()), "/backups") {
    host.audit = kernel;
    const StepSpec spec = kernel_rules("1", with_key(kernel->held, "mdatp"));
    auto made = make_step({spec.id, spec.type, *base::parse_json(spec.parameters.dump(), "plan")});
    EXPECT_TRUE(made.ok());
    step = *std::move(made);
    captured = *base::parse_json(step->capture(host, backups)->dump(), "journal");
  }
  base::Result<void> apply() { return step->apply(host, captured); }
  base::Result<void> undo() { return step->undo(host, captured, backups); }
};

TEST(KernelRules, DeletesExactlyTheseAndBringsThemBackWhereTheyStood) {
  Bench bench(kMixed);
  const auto before = bench.kernel->list();
  EXPECT_FALSE(*bench.step->done(bench.host));
  ASSERT_TRUE(bench.apply().ok());
  EXPECT_TRUE(*bench.step->done(bench.host));
  EXPECT_THAT(bench.kernel->list(),
              ::testing::ElementsAre("-a never,task -F uid=33", "-w /var/log/noise -p w -k quiet",
                                     "-w /etc/passwd -p wa -k identity",
                                     "-a always,exit -F arch=b64 -S adjtimex -F key=time",
                                     "-a always,exclude -F msgtype=CWD"));
  ASSERT_TRUE(bench.apply().ok()) << "a second time is as good as once";
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.kernel->list(), before);
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.kernel->list(), before);
}

TEST(KernelRules, UndoMovesOnlyWhatHasToMove) {
  Bench bench(kMixed);
  ASSERT_TRUE(bench.apply().ok());
  bench.kernel->requests = 0;
  ASSERT_TRUE(bench.undo().ok());
  // Four rules come back; two of the user's lie behind one of them and move: each is removed and added.
  EXPECT_EQ(bench.kernel->requests, 4 + 2 * 2);
}

TEST(KernelRules, GoesOnFromWhereverItWasCutOff) {
  for (int first = 0; first < 20; ++first) {
    for (int second = 0; second < 12; ++second) {
      Bench bench(kMixed);
      const auto before = bench.kernel->list();
      bench.kernel->fail_after = first;
      (void)bench.apply();
      bench.kernel->fail_after = second;
      (void)bench.undo();
      bench.kernel->fail_after = -1;
      const auto undone = bench.undo();
      ASSERT_TRUE(undone.ok()) << first << " " << second << " " << undone.error().message();
      ASSERT_EQ(bench.kernel->list(), before) << first << " " << second;
    }
  }
}

TEST(KernelRules, KeepsWhatSomebodyAddedAndRefusesWhenSomebodyTookAway) {
  Bench bench(kMixed);
  ASSERT_TRUE(bench.apply().ok());
  ASSERT_TRUE(bench.kernel->add(FakeKernel::rule("-w /etc/shadow -p wa -k new")).ok());
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_THAT(bench.kernel->list(), ::testing::Contains("-w /etc/shadow -p wa -k new"));
  EXPECT_EQ(bench.kernel->list().size(), 10U);

  Bench other(kMixed);
  ASSERT_TRUE(other.apply().ok());
  ASSERT_TRUE(other.kernel->remove(FakeKernel::rule("-w /etc/passwd -p wa -k identity")).ok());
  ASSERT_TRUE(other.kernel->remove(FakeKernel::rule("-a never,task -F uid=33")).ok());
  const auto undone = other.undo();
  ASSERT_FALSE(undone.ok());
  EXPECT_EQ(undone.error().code(), base::Errc::busy);
  EXPECT_THAT(undone.error().message(), ::testing::HasSubstr("/etc/passwd"));
}

TEST(KernelRules, ALockedKernelIsAnErrorOnlyWhereARuleHasToGo) {
  Bench bench(kMixed);
  bench.kernel->enabled = 2;
  const auto applied = bench.apply();
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code(), base::Errc::permission);

  bench.kernel->enabled = 1;
  ASSERT_TRUE(bench.apply().ok());
  const auto without = bench.kernel->list();
  bench.kernel->enabled = 2;
  EXPECT_TRUE(bench.apply().ok()) << "none is there";
  EXPECT_TRUE(bench.undo().ok()) << "the next boot brings them";
  EXPECT_EQ(bench.kernel->list(), without);
}

/// Two of the user's watches went with what they watched, after the switch.
TEST(KernelRules, WhatTheKernelCannotTakeAnyMoreKeepsNothingFromComingBack) {
  const std::string gone[] = {"-w /mnt/data/a -p wa -k data", "-w /mnt/data/b -p wa -k data"};
  Bench bench(kMixed + gone[0] + "\n" + gone[1] + "\n");
  auto before = bench.kernel->list();
  ASSERT_TRUE(bench.apply().ok());
  for (const std::string& text : gone) {
    ASSERT_TRUE(bench.kernel->remove(FakeKernel::rule(text)).ok());
    bench.kernel->without_place.insert(text);
    std::erase(before, text);
  }
  bench.tree.directory("/etc");
  bench.tree.directory("/var/log");
  bench.host.files = std::make_shared<base::Sysroot>(bench.tree.open());
  const auto undone = bench.undo();
  ASSERT_TRUE(undone.ok()) << undone.error().message();
  EXPECT_EQ(bench.kernel->list(), before);
}

TEST(LoadedRules, BringsBackWhatTheAgentTookAwayItself) {
  constexpr const char* kFile = "/etc/audit/rules.d/mdatp.rules";
  Bench bench(kMixed);
  bench.tree.file(kFile, "-a always,exit -S bpf -k mdatp\n");
  bench.host.files = std::make_shared<base::Sysroot>(bench.tree.open());
  const FileState noted = *read_file_state(*bench.host.files, kFile);
  const auto before = bench.kernel->list();
  const StepSpec spec = loaded_rules("1", "", {}, {{kFile, noted}});
  bench.step = *make_step({spec.id, spec.type, *base::parse_json(spec.parameters.dump(), "plan")});
  bench.captured = *base::parse_json(bench.step->capture(bench.host, bench.backups)->dump(), "journal");

  for (const Rule& rule : with_key(bench.kernel->held, "mdatp")) ASSERT_TRUE(bench.kernel->remove(rule).ok());
  ASSERT_TRUE(bench.host.files->remove(kFile).ok());
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.kernel->list(), before);
  EXPECT_EQ(*read_file_state(*bench.host.files, kFile), noted);

  bench.tree.file(kFile, "as the agent writes it now");
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.tree.read(kFile), "as the agent writes it now");
}

TEST(RuleMoves, AnyOrderBecomesAnyOther) {
  std::mt19937 random(7);
  std::vector<Rule> all;
  for (int i = 0; i < 9; ++i)
    all.push_back(FakeKernel::rule("-w /f" + std::to_string(i) + " -p " + (i % 2 == 0 ? "w" : "wa")));
  for (int round = 0; round < 500; ++round) {
    std::vector<Rule> current = all;
    std::vector<Rule> wanted = all;
    std::shuffle(current.begin(), current.end(), random);
    std::shuffle(wanted.begin(), wanted.end(), random);
    current.resize(random() % 10);
    wanted.resize(random() % 10);
    FakeKernel kernel;
    kernel.held = current;
    for (const RuleMove& move : moves_to(current, wanted)) {
      Rule rule = move.rule;
      rule.verb = move.kind == RuleMove::Kind::prepend ? auditd::RuleVerb::prepend : auditd::RuleVerb::append;
      const auto made = move.kind == RuleMove::Kind::remove ? kernel.remove(rule) : kernel.add(rule);
      ASSERT_TRUE(made.ok()) << made.error().message();
    }
    FakeKernel expected;
    expected.held = wanted;
    ASSERT_EQ(kernel.list(), expected.list());
  }
}

TEST(RuleMoves, NothingToDoIsNothing) {
  const FakeKernel kernel(kMixed);
  EXPECT_TRUE(moves_to(kernel.held, kernel.held).empty());
}

TEST(RuleJson, KeepsEveryRule) {
  FakeKernel kernel(
      std::string(kMixed) +
      "-a always,exit -S all -F dir=/srv/a\\ b -F auid>=1000 -F auid!=unset -C uid!=euid -k two\n"
      "-a always,exit -F arch=b32 -S 2047 -F exit=-EACCES -F a1&=0x40 -k \xff\xfe\n"
      "-a always,filesystem -F fstype=0x9fa0\n");
  ASSERT_EQ(kernel.held.size(), 12U);
  for (const Rule& rule : kernel.held) {
    const auto again = rule_from_json(*base::parse_json(to_json(rule).dump(), "rule"));
    ASSERT_TRUE(again.ok()) << again.error().message();
    EXPECT_EQ(auditd::identity_of(*again), auditd::identity_of(rule)) << rule.text;
    EXPECT_EQ(auditd::to_kernel(*again), auditd::to_kernel(rule)) << rule.text;
  }
}

TEST(RuleJson, RefusesWhatItDoesNotKnow) {
  const base::Json good = to_json(FakeKernel::rule("-w /etc/passwd -p wa -k identity"));
  ASSERT_TRUE(rule_from_json(good).ok());
  for (const char* patch :
       {R"({"more": 1})", R"({"list": 3})", R"({"list": -1})", R"({"action": 7})", R"({"syscalls": "some"})",
        R"({"syscalls": [2048]})", R"({"fields": [{"id": 1, "op": "~", "value": 2}]})", R"({"fields": 3})",
        R"({"fields": [{"id": 1, "op": "=", "value": 2, "text_base64": "!"}]})", R"({"text": null})"}) {
    base::Json bad = good;
    bad.update(*base::parse_json(patch, "patch"));
    EXPECT_FALSE(rule_from_json(bad).ok()) << patch;
  }
}

}  // namespace
}  // namespace auditshift::migrate::change
