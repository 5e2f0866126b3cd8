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

}  // namespace
}  // namespace auditshift::tests
