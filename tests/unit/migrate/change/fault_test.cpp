// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "migrate/change/file_steps.h"
#include "tests/unit/migrate/change/fault_harness.h"
#include "tests/unit/migrate/change/scenarios.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

/// Every harm at every point.
constexpr FaultLimits kThorough{.every_error = false};
/// What these add to the journal is the same for every way of being hurt.
constexpr FaultLimits kSampled{.recovery_stride = 97, .every_error = false, .harm_stride = 3};

TEST(Faults, AChangeableHostEndsOldOrNew) {
  expect_whole(changeable_scenario(), "changeable audit", FaultLimits{});
}

TEST(Faults, ALockedHostEndsOldOrNewAcrossItsReboots) {
  expect_whole(locked_scenario(), "locked audit", kThorough);
}

TEST(Faults, AFailedVerificationAfterTheRebootEndsOld) {
  FaultScenario scenario = locked_scenario();
  scenario.ends_old = true;
  scenario.verify = [](const Host&, const Plan&) {
    Verification verification;
    verification.checks.push_back({.id = "flow", .ok = false, .text = "no events"});
    return base::Result<Verification>(std::move(verification));
  };
  expect_whole(scenario, "failed verification", kThorough);
}

TEST(Faults, ARemedyOnAChangeableHostEndsOldOrNew) {
  expect_whole(remedied(changeable_scenario()), "remedy, changeable audit", kSampled);
}

TEST(Faults, ARemedyOnALockedHostEndsOldOrNewAcrossAnotherReboot) {
  expect_whole(remedied(locked_scenario()), "remedy, locked audit", kSampled);
}

TEST(Faults, AnExtensionOfAChangeableHostEndsOldOrNew) {
  expect_whole(extended(changeable_scenario()), "extension, changeable audit", kSampled);
}

TEST(Faults, AnExtensionOfALockedHostEndsOldOrNewAcrossAnotherReboot) {
  expect_whole(extended(locked_scenario()), "extension, locked audit", kSampled);
}

/// The harness is worth nothing if it does not see a mistake.
struct Mistake {
  const char* name;
  void (*make)(FaultScenario&);
};
class HarnessDetects : public testing::TestWithParam<Mistake> {};

TEST_P(HarnessDetects, TheMistake) {
  FaultScenario scenario = changeable_scenario();
  GetParam().make(scenario);
  const FaultReport report = run_faults(scenario, {.recovery_stride = 1000, .violations = 1});
  EXPECT_FALSE(report.violations.empty());
  for (const std::string& violation : report.violations)
    std::printf("as it should: %.300s\n", violation.c_str());
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, HarnessDetects,
    testing::Values(
        Mistake{"acting_before_the_journal_is_synced",
                [](FaultScenario& scenario) { scenario.lies = {"/journal/"}; }},
        Mistake{"backup_not_synced", [](FaultScenario& scenario) { scenario.lies = {"/backups/"}; }},
        Mistake{"done_before_the_change_is_synced",
                [](FaultScenario& scenario) { scenario.lies = {"/etc/audit"}; }},
        Mistake{"kernel_rules_after_the_files_that_load_them",
                [](FaultScenario& scenario) {
                  scenario.plan = [plan = scenario.plan](SimulatedHost& host) {
                    Plan wrong = plan(host);
                    std::rotate(wrong.steps.begin() + 3, wrong.steps.begin() + 4, wrong.steps.end());
                    return wrong;
                  };
                }},
        Mistake{"acting_while_looking",
                [](FaultScenario& scenario) {
                  scenario.plan = [plan = scenario.plan](SimulatedHost& host) {
                    Plan wrong = plan(host);
                    StepSpec eager{.id = "0", .type = "test-eager", .parameters = base::Json::object()};
                    eager.parameters["path"] = "/etc/audit/rules.d/99-user.rules";
                    wrong.steps.insert(wrong.steps.begin(), eager);
                    wrong.before_reboot = wrong.steps.size();
                    return wrong;
                  };
                }}),
    [](const auto& mistake) { return std::string(mistake.param.name); });

}  // namespace
}  // namespace auditshift::tests
