// SPDX-License-Identifier: Apache-2.0
// audit and the sensor side by side in the running kernel, on a workload whose calls are counted beforehand;
// and what is missing on purpose must show.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <thread>

#include "auditd/kernel.h"
#include "auditd/parser.h"
#include "migrate/compare/side_by_side.h"
#include "sensor/audit_provider.h"
#include "sensor/ebpf_provider.h"
#include "tests/system/audit_on.h"
#include "tests/system/fast_rcu.h"
#include "tests/system/kernel_lock.h"
#include "tests/system/sensor_ebpf/harness.h"
#include "tests/system/tool.h"

namespace auditshift::migrate::compare {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using sensor::EventKind;

/// What the workload does COUNT times, by the key of the rule that records it, and how many events that is.
struct Class {
  const char* key;
  const char* calls;
  std::uint64_t per_round;
};
constexpr Class kClasses[] = {
    {"mdatp", "renameat2", 1},  {"mdatp", "unlinkat", 2},   {"mdatpmbr", "connect", 1},
    {"mdatpmbr", "accept4", 1}, {"mode", "fchmod", 1},      {"owner", "fchownat", 1},
    {"mine", "openat", 1},      {"mine", "mkdirat", 1},     {"who", "setresuid", 1},
    {"trace", "ptrace", 1},     {"fork", "clone", 2},       {"exec", "execve", 1},
    {"end", "exit_group", 2},   {"name", "sethostname", 1},
};

auditd::LiveKernelAudit kernel() { return auditd::LiveKernelAudit(auditd::ParseOptions{}); }

/// Rules that name the workload, taken out again at the end.
class WorkloadRules {
 public:
  explicit WorkloadRules(const std::string& executable) {
    for (const Class& entry : kClasses) {
      // What the loader opens while the program starts is no part of the count.
      const std::string only = std::string(entry.calls) == "openat" ? " -F a2&1" : "";
      add("-a always,exit -F arch=b64 -S " + std::string(entry.calls) + only + " -F exe=" + executable +
          " -F key=" + entry.key);
    }
  }
  ~WorkloadRules() {
    auditd::LiveKernelAudit audit = kernel();
    for (const auditd::Rule& rule : rules_) EXPECT_TRUE(audit.remove(rule).ok()) << rule.text;
  }
  WorkloadRules(const WorkloadRules&) = delete;
  WorkloadRules& operator=(const WorkloadRules&) = delete;

 private:
  void add(const std::string& text) {
    const auditd::Line line = auditd::parse_line(text, {"test.rules", 1}, {});
    ASSERT_TRUE(line.valid() && line.rule) << text;
    const auto added = kernel().add(*line.rule);
    ASSERT_TRUE(added.ok()) << text << ": " << added.error().message();
    rules_.push_back(*line.rule);
  }

  std::vector<auditd::Rule> rules_;
};

class Compare : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = sensor::testing_support::lacking_privilege(); !reason.empty())
      GTEST_SKIP() << reason;
    ASSERT_TRUE(lock_.held());
    const auditd::LiveRules live = kernel().rules();
    if (!live.known) GTEST_SKIP() << live.reason;
    if (!live.rules.empty()) GTEST_SKIP() << "audit rules of somebody else are loaded";
    audit_on_ = std::make_unique<testing::AuditOn>();
    if (!audit_on_->on()) GTEST_SKIP() << "the audit system cannot be switched on here";
    executable_ = directory_ / "workload";
    fs::copy_file(AUDITSHIFT_COMPARE_WORKLOAD, executable_);
    rules_ = std::make_unique<WorkloadRules>(executable_);
  }
  void TearDown() override {
    rules_.reset();
    audit_on_.reset();
  }

  pid_t start_workload(int count) {
    const std::string directory = directory_ / ("run" + std::to_string(++runs_));
    fs::create_directory(directory);
    const std::string rounds = std::to_string(count);
    const pid_t child = fork();
    if (child != 0) return child;
    execl(executable_.c_str(), executable_.c_str(), directory.c_str(), rounds.c_str(),
          static_cast<char*>(nullptr));
    _exit(127);
  }

  /// The workload under both, from before its first call to after its last one.
  Comparison compare(int count, const SensorSettings& settings, sensor::KindSet programs_without = {}) {
    Facts facts;
    facts.host.architecture = "x86_64";
    facts.audit.live = kernel().rules();
    const RuleBook rules(live_rules(facts), [](const std::string&) { return std::nullopt; });
    sensor::EbpfOptions options = rules.widest_options();
    for (const EventKind kind : sensor::all_kinds())
      if (programs_without.contains(kind)) options.kinds.erase(kind);
    sensor::AuditProvider audit(clock_, true);
    sensor::EbpfProvider ebpf(options, clock_);
    auditd::LiveKernelAudit audit_system = kernel();
    base::NoProgress progress;
    pid_t child = 0;
    int status = 0;
    // audit's stamps are those of the last clock tick: a call within it would count as begun before.
    std::optional<std::chrono::nanoseconds> begins;
    auto compared = compare_live({.audit = audit,
                                  .sensor = ebpf,
                                  .kernel = audit_system,
                                  .clock = clock_,
                                  .time = 120s,
                                  .own_pid = static_cast<std::uint32_t>(getpid()),
                                  .stop =
                                      [&] {
                                        if (!begins) begins = clock_.since_boot() + 100ms;
                                        if (clock_.since_boot() < *begins) return false;
                                        if (child == 0) child = start_workload(count);
                                        return waitpid(child, &status, WNOHANG) != 0;
                                      }},
                                 rules, settings, progress);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    if (!compared.ok()) {
      ADD_FAILURE() << compared.error().message();
      return {};
    }
    return *std::move(compared);
  }

  static const RuleTally& tally(const Comparison& comparison, const std::string& call) {
    for (std::size_t i = 0; i < comparison.rules.size(); ++i)
      if (comparison.rules[i].text.find("-S " + call + " ") != std::string::npos)
        return comparison.tallies[i];
    ADD_FAILURE() << call;
    static const RuleTally none;
    return none;
  }

  testing::KernelLock lock_;
  testing::FastRcu fast_;
  std::unique_ptr<testing::AuditOn> audit_on_;
  std::unique_ptr<WorkloadRules> rules_;
  base::SystemClock clock_;
  sensor::testing_support::TemporaryDirectory directory_;
  std::string executable_;
  int runs_ = 0;
};

/// How many events of a rule the workload makes: those of its start and its end come once.
std::uint64_t truth(const Class& entry, int count) {
  const std::string call = entry.calls;
  const std::uint64_t once = call == "execve" || call == "exit_group" ? 1 : 0;
  return entry.per_round * static_cast<std::uint64_t>(count) + once;
}

TEST_F(Compare, EveryEventOfACountedWorkloadIsToldByBoth) {
  constexpr int kCount = 1000;
  const Comparison comparison = compare(kCount, {});
  EXPECT_EQ(comparison.outcome(), Outcome::nothing_lost) << render_text(comparison, {});
  EXPECT_EQ(exit_code_of(comparison), 0);
  for (const Class& entry : kClasses) {
    const RuleTally& counts = tally(comparison, entry.calls);
    EXPECT_EQ(counts.both, truth(entry, kCount)) << entry.calls << "\n" << render_text(comparison, {});
    EXPECT_EQ(counts.audit_only_total() + counts.sensor_only_total() + counts.differing, 0U) << entry.calls;
  }
  std::cout << comparison.audit_events() << " events compared\n";
}

TEST_F(Compare, WhatTheProgramsDoNotTellIsMissedAndNothingElse) {
  constexpr int kCount = 50;
  const std::map<std::string, EventKind> sabotaged = {{"renameat2", EventKind::rename},
                                                      {"connect", EventKind::connect},
                                                      {"execve", EventKind::exec},
                                                      {"clone", EventKind::fork},
                                                      {"fchmod", EventKind::chmod}};
  for (const auto& [call, kind] : sabotaged) {
    const Comparison comparison = compare(kCount, {}, {kind});
    EXPECT_EQ(exit_code_of(comparison), 2) << call;
    for (const Class& entry : kClasses) {
      const RuleTally& counts = tally(comparison, entry.calls);
      const bool off = entry.calls == call;
      const std::map<Reason, std::uint64_t> missing = {{Reason::unexplained, truth(entry, kCount)}};
      EXPECT_EQ(counts.audit_only, off ? missing : (std::map<Reason, std::uint64_t>{}))
          << call << " is off: " << entry.calls;
      EXPECT_EQ(counts.both, off ? 0 : truth(entry, kCount)) << call << " is off: " << entry.calls;
    }
  }
}

TEST_F(Compare, AnExclusionShowsAsTheReason) {
  constexpr int kCount = 50;
  SensorSettings settings;
  settings.exclusions = sensor::Exclusions({{sensor::ExclusionKind::process, executable_}});
  const Comparison comparison = compare(kCount, settings);
  EXPECT_EQ(exit_code_of(comparison), 2);
  for (const Class& entry : kClasses) {
    const RuleTally& counts = tally(comparison, entry.calls);
    EXPECT_EQ(counts.both, 0U) << entry.calls;
    EXPECT_EQ(counts.audit_only, (std::map<Reason, std::uint64_t>{{Reason::excluded, truth(entry, kCount)}}))
        << entry.calls;
    ASSERT_FALSE(counts.examples.empty());
    EXPECT_EQ(counts.examples.front().detail, "process " + executable_);
  }
}

TEST_F(Compare, AKindThatTheSensorIsToldNotToWatchShowsAsTheReason) {
  constexpr int kCount = 50;
  SensorSettings settings;
  settings.options.kinds.erase(EventKind::unlink);
  settings.options.kinds.erase(EventKind::rmdir);
  const Comparison comparison = compare(kCount, settings);
  EXPECT_EQ(exit_code_of(comparison), 2);
  EXPECT_EQ(tally(comparison, "unlinkat").audit_only,
            (std::map<Reason, std::uint64_t>{{Reason::switched_off, 2 * kCount}}));
  EXPECT_EQ(comparison.missed(), 2U * kCount);
}

TEST_F(Compare, TheCommandReportsWhatItSaw) {
  std::atomic<bool> done = false;
  std::thread worker([&] {
    while (!done) {
      int status = 0;
      waitpid(start_workload(20), &status, 0);
    }
  });
  const auto good = testing::run_tool({"compare", "--time", "3", "--json"});
  const auto bad = testing::run_tool({"compare", "--time", "3", "--without", "rename"});
  const auto page = testing::run_tool({"compare", "--time", "2", "--format", "html"});
  done = true;
  worker.join();
  EXPECT_EQ(good.exit_code, 0) << good.err << good.out;
  const base::Json document = testing::json_of(good.out);
  EXPECT_EQ(document["outcome"], "nothing-lost") << good.out;
  EXPECT_GT(document["events"].get<int>(), 100);
  EXPECT_EQ(testing::schema_errors("compare.schema.json", good.out), "");
  for (const base::Json& rule : document["rules"])
    EXPECT_EQ(rule["owner"], rule["keys"][0].get<std::string>().starts_with("mdatp") ? "defender" : "user");
  EXPECT_EQ(bad.exit_code, 2) << bad.err;
  EXPECT_NE(bad.out.find("this kind of event is switched off in the sensor (missed)"), std::string::npos)
      << bad.out;
  EXPECT_EQ(page.exit_code, 0) << page.err;
  EXPECT_NE(page.out.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.out.find("<script"), std::string::npos);
  EXPECT_EQ(kernel().rules().rules.size(), std::size(kClasses)) << "no rule was changed";
}

TEST_F(Compare, OthersThanRootAreTold) {
  const testing::PublicTool tool;
  const auto outcome = tool.run_as_nobody({"compare", "--time", "1"});
  EXPECT_EQ(outcome.exit_code, 77);
  EXPECT_NE(outcome.err.find("root"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace auditshift::migrate::compare
