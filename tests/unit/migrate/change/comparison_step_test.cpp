// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/change/plan_steps.h"
#include "tests/unit/migrate/change/fakes.h"
#include "tests/unit/migrate/change/scenarios.h"
#include "tests/unit/migrate/change/test_steps.h"

namespace auditshift::migrate::change {
namespace {

using ::testing::HasSubstr;

struct Bench {
  std::shared_ptr<tests::FakeComparison> comparison = std::make_shared<tests::FakeComparison>();
  Host host;

  Bench() { host.comparison = comparison; }
  base::Result<void> apply(const std::set<std::string>& accept = {}) {
    auto made = make_step(change::comparison("4", std::chrono::seconds(7), accept));
    EXPECT_TRUE(made.ok());
    step = *std::move(made);
    return step->apply(host, base::Json::object());
  }
  std::unique_ptr<Step> step;
};

TEST(ComparisonStep, KeepsWhatItFound) {
  Bench bench;
  ASSERT_TRUE(bench.apply().ok());
  EXPECT_EQ(bench.step->found()["text"], "all told");
  EXPECT_EQ(bench.step->found()["seconds"], 7);
  EXPECT_EQ(bench.step->describe(), "compare audit with the sensor for 7 seconds");
}

TEST(ComparisonStep, WhatWasMissedIsAFailureUnlessAccepted) {
  Bench bench;
  bench.comparison->compared = {.missed = true, .proven = false, .text = "3 were missed", .summary = {}};
  const auto missed = bench.apply({kNothingProven});
  ASSERT_FALSE(missed.ok());
  EXPECT_THAT(missed.error().message(), HasSubstr("3 were missed (CMP001)"));
  EXPECT_THAT(missed.error().hint(), HasSubstr("--accept CMP001"));
  EXPECT_EQ(bench.step->found()["text"], "3 were missed") << "also of a failure";
  EXPECT_TRUE(bench.apply({kEventsMissed}).ok());
}

TEST(ComparisonStep, WhatProvesNothingIsAFailureUnlessAccepted) {
  Bench bench;
  bench.comparison->compared = {.missed = false, .proven = false, .text = "events were lost", .summary = {}};
  const auto unproven = bench.apply({kEventsMissed});
  ASSERT_FALSE(unproven.ok());
  EXPECT_THAT(unproven.error().message(), HasSubstr("CMP002"));
  EXPECT_TRUE(bench.apply({kNothingProven}).ok());
}

TEST(ComparisonStep, WhereNothingCanBeComparedItSaysSo) {
  Bench bench;
  bench.host.comparison = nullptr;
  EXPECT_EQ(bench.apply().error().code(), base::Errc::unsupported);
}

/// A switch with a comparison behind its other steps.
struct Switching {
  tests::FaultScenario scenario = tests::changeable_scenario();
  tests::SimulatedHost host{scenario.options};
  std::shared_ptr<tests::FakeComparison> comparison = std::make_shared<tests::FakeComparison>();
  Plan plan;
  TransactionOptions options;
  Transactions transactions{host.host(), tests::SimulatedHost::kState, tests::make_test_step};
  std::string before;

  Switching() {
    scenario.prepare(host);
    host.host().comparison = comparison;
    plan = scenario.plan(host);
    plan.steps.push_back(change::comparison("9-compare", std::chrono::seconds(7), {}));
    plan.before_reboot = plan.steps.size();
    options.verify = scenario.verify;
    before = picture();
  }
  std::string picture() { return tests::picture(host.tree(), host.world()); }
};

TEST(ComparisonInASwitch, StaysInItsStatus) {
  Switching on;
  const auto switched = on.transactions.begin(on.plan, on.options);
  ASSERT_TRUE(switched.ok()) << switched.error().message();
  EXPECT_EQ(switched->kind, Outcome::Kind::done) << switched->message;
  EXPECT_EQ(on.transactions.status()->comparison["text"], "all told");
  ASSERT_TRUE(on.transactions.rollback(on.options).ok());
  EXPECT_EQ(on.picture(), on.before);
}

TEST(ComparisonInASwitch, MissedEventsRollItBackAndAreKept) {
  Switching on;
  on.comparison->compared = {.missed = true, .proven = true, .text = "3 were missed", .summary = {}};
  const auto ended = on.transactions.begin(on.plan, on.options);
  ASSERT_TRUE(ended.ok()) << ended.error().message();
  EXPECT_EQ(ended->kind, Outcome::Kind::rolled_back) << ended->message;
  EXPECT_THAT(ended->message, HasSubstr("3 were missed"));
  EXPECT_EQ(on.transactions.status()->comparison["text"], "3 were missed");
  EXPECT_EQ(on.picture(), on.before);
}

TEST(ComparisonInASwitch, ASignalEndsItAndItBeginsAnew) {
  Switching on;
  on.comparison->stopped = true;
  on.options.interrupted = [&] { return on.comparison->times == 1; };
  const auto stopped = on.transactions.begin(on.plan, on.options);
  ASSERT_TRUE(stopped.ok()) << stopped.error().message();
  EXPECT_EQ(stopped->kind, Outcome::Kind::interrupted) << stopped->message;
  EXPECT_TRUE(on.transactions.status()->comparison.is_null());
  on.comparison->stopped = false;
  on.options.interrupted = nullptr;
  const auto resumed = on.transactions.resume(on.options);
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->kind, Outcome::Kind::done) << resumed->message;
  EXPECT_EQ(on.comparison->times, 2);
}

}  // namespace
}  // namespace auditshift::migrate::change
