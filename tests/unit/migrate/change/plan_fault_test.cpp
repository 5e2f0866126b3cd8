// SPDX-License-Identifier: Apache-2.0
// The plan that this tool really makes, its real steps and its real verification, hurt at every fault point.
#include <gtest/gtest.h>

#include <algorithm>

#include "migrate/change/plan_steps.h"
#include "tests/unit/migrate/change/defender_era_host.h"
#include "tests/unit/migrate/change/fakes.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

constexpr FaultLimits kThorough{.recovery_stride = 97};
constexpr FaultLimits kSampled{.recovery_stride = 97, .harm_stride = 3};

/// Such a host and its transactions, without faults.
struct QuietHost {
  FaultScenario scenario;
  SimulatedHost host;
  Transactions transactions;
  TransactionOptions options;

  explicit QuietHost(const std::string& last_line)
      : scenario(defender_era_scenario(last_line)),
        host(scenario.options),
        transactions(host.host(), SimulatedHost::kState) {
    options.caller = "test";
    options.verify = scenario.verify;
    scenario.prepare(host);
  }
};

TEST(PlanFaults, TheRealPlanIsTheWholeOne) {
  const FaultScenario scenario = defender_era_scenario("");
  SimulatedHost host(scenario.options);
  scenario.prepare(host);
  std::vector<std::string> types;
  for (const StepSpec& step : scenario.plan(host).steps) types.push_back(step.type);
  EXPECT_EQ(types, (std::vector<std::string>{"loaded-rules", "write-file", "provider", "wait-for-provider",
                                             "rate-limit", "remove-file", "remove-file", "write-file",
                                             "compiled-rules", "audit-plugin", "kernel-rules"}));
  EXPECT_EQ(host.world().rate_limit, 2500U) << "as Defender's file has it";
}

TEST(PlanFaults, AChangeableHostEndsOldOrNew) {
  expect_whole(defender_era_scenario(""), "real plan, changeable audit", kThorough);
}

/// Between the new provider and the end of the old one, as a plan with --compare has it.
TEST(PlanFaults, AComparisonEndsOldOrNew) {
  FaultScenario scenario = defender_era_scenario("");
  scenario.prepare = [prepare = scenario.prepare](SimulatedHost& host) {
    prepare(host);
    host.host().comparison = std::make_shared<FakeComparison>();
  };
  scenario.plan = [plan = scenario.plan](SimulatedHost& host) {
    Plan compared = plan(host);
    const auto waits = std::find_if(compared.steps.begin(), compared.steps.end(),
                                    [](const StepSpec& step) { return step.type == "wait-for-provider"; });
    compared.steps.insert(waits + 1, comparison("5-compare", std::chrono::seconds(7), {}));
    compared.before_reboot = compared.steps.size();
    return compared;
  };
  expect_whole(scenario, "real plan with a comparison", kSampled);
}

TEST(PlanFaults, AHeldBuildEndsOldOrNew) {
  expect_whole(held_build_scenario(), "real plan, held build", kSampled);
}

TEST(PlanFaults, ALockedHostEndsOldOrNewAcrossItsReboots) {
  expect_whole(defender_era_scenario("-e 2\n"), "real plan, locked audit", kThorough);
}

/// Audit is not locked when the plan is made, and is after the first boot, the power cut's for example.
TEST(PlanFaults, AHostThatTheNextBootLocksEndsOldOrNew) {
  FaultScenario scenario = defender_era_scenario("-e 2\n");
  scenario.locks_at_boot = true;
  scenario.prepare = [prepare = scenario.prepare](SimulatedHost& host) {
    prepare(host);
    host.world().immutable = false;
  };
  scenario.plan = [plan = scenario.plan](SimulatedHost& host) {
    Plan made = plan(host);
    EXPECT_FALSE(made.reboot);
    return made;
  };
  expect_whole(scenario, "real plan, locked by the next boot", kSampled);
}

/// The same, in quiet: the switch is complete, an ordinary boot locks audit, and the switch is rolled back.
TEST(PlanFaults, WhatABootHasLockedIsRolledBackWithAnother) {
  QuietHost quiet("-e 2\n");
  auto& [scenario, host, transactions, options] = quiet;
  host.world().immutable = false;
  const auto rules = [&] { return quiet.host.world().rules.size(); };
  const std::size_t before = rules();
  const auto switched = transactions.begin(scenario.plan(host), options);
  ASSERT_TRUE(switched.ok());
  ASSERT_EQ(switched->kind, Outcome::Kind::done) << switched->message;
  EXPECT_LT(rules(), before);
  host.boot();
  ASSERT_TRUE(host.world().immutable);
  EXPECT_TRUE(scenario.verify(host.host(), transactions.status()->plan)->ok());
  const auto back = transactions.rollback(options);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->kind, Outcome::Kind::reboot_needed) << back->message;
  EXPECT_LT(rules(), before) << "the locked kernel still lacks Defender's rules";
  host.boot();
  const auto resumed = transactions.resume(options);
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(resumed->state, State::rolled_back) << resumed->message;
  EXPECT_EQ(rules(), before);
}

/// Somebody loads a lock while the switch stands: no rule can be given back before the next boot.
TEST(PlanFaults, WhatSomebodyHasLockedIsRolledBackWithABoot) {
  QuietHost quiet("");
  auto& [scenario, host, transactions, options] = quiet;
  const std::size_t before = host.world().rules.size();
  ASSERT_TRUE(transactions.begin(scenario.plan(host), options).ok());
  host.world().immutable = true;
  const auto back = transactions.rollback(options);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->kind, Outcome::Kind::reboot_needed) << back->message;
  host.boot();
  EXPECT_EQ(transactions.resume(options)->state, State::rolled_back);
  EXPECT_EQ(host.world().rules.size(), before);
}

/// Locked before Defender's rules came to the disk: the kernel never had them, so no boot is needed for
/// anything.
TEST(PlanFaults, WhatALockedKernelNeverHadNeedsNoBoot) {
  QuietHost quiet("-e 2\n");
  auto& [scenario, host, transactions, options] = quiet;
  std::erase_if(host.world().rules, [](const auditd::Rule& rule) {
    const auto keys = rule.keys();
    return !keys.empty() && keys.front().starts_with("mdatp");
  });
  const Plan plan = scenario.plan(host);
  ASSERT_FALSE(plan.reboot);
  ASSERT_TRUE(transactions.begin(plan, options).ok());
  const auto back = transactions.rollback(options);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->state, State::rolled_back) << back->message;
}

/// What somebody puts into rules.d while the switch stands, loaded or not yet, stays after the rollback.
TEST(PlanFaults, WhatSomebodyAddsMeanwhileStays) {
  for (const bool loaded : {false, true}) {
    QuietHost quiet("");
    auto& [scenario, host, transactions, options] = quiet;
    const std::size_t before = host.world().rules.size();
    ASSERT_TRUE(transactions.begin(scenario.plan(host), options).ok());
    host.file("/etc/audit/rules.d/60-new.rules", "-w /etc/shadow -p wa -k new\n");
    if (loaded) host.boot();  // as augenrules --load does it
    const auto back = transactions.rollback(options);
    ASSERT_TRUE(back.ok()) << back.error().message();
    EXPECT_EQ(back->state, State::rolled_back) << back->message;
    EXPECT_EQ(host.world().rules.size(), before + (loaded ? 1 : 0));
    const auditd::Layout layout = auditd::read_layout(*host.host().files, host.rules_options());
    EXPECT_EQ(layout.compiled->content, layout.would_compile) << "a boot has nothing to change";
    EXPECT_NE(layout.would_compile.find("/etc/shadow"), std::string::npos);
    EXPECT_NE(layout.would_compile.find("key=mdatp"), std::string::npos);
  }
}

TEST(PlanFaults, ARulesFileThatIsALinkGoesAndComesBack) {
  constexpr const char* kLink = "/etc/audit/rules.d/mdatp.rules";
  QuietHost quiet("");
  auto& [scenario, host, transactions, options] = quiet;
  ASSERT_TRUE(host.host().files->remove(kLink).ok());
  host.file("/opt/microsoft/mdatp/conf/mdatp.rules", kDefenderRules, 0600);
  host.link(kLink, "/opt/microsoft/mdatp/conf/mdatp.rules");
  const std::string before = picture(host.tree(), host.world());
  const auto switched = transactions.begin(scenario.plan(host), options);
  ASSERT_TRUE(switched.ok()) << switched.error().message();
  EXPECT_EQ(switched->state, State::switched) << switched->message;
  EXPECT_FALSE(host.host().files->lstat(kLink).ok());
  EXPECT_TRUE(host.host().files->exists("/opt/microsoft/mdatp/conf/mdatp.rules"));
  ASSERT_TRUE(transactions.rollback(options).ok());
  EXPECT_EQ(picture(host.tree(), host.world()), before);
}

}  // namespace
}  // namespace auditshift::tests
