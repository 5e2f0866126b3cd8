// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "migrate/change/file_steps.h"
#include "tests/unit/migrate/change/fault_harness.h"
#include "tests/unit/migrate/change/scenarios.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

/// AUDITSHIFT_FAULTS=all hurts every point of every recovery too; that takes minutes.
FaultLimits limits(bool every_error, bool every_harm) {
  const char* given = std::getenv("AUDITSHIFT_FAULTS");
  const bool all = given != nullptr && std::string(given) == "all";
  const std::size_t stride = every_harm ? 29 : 97;
  return {.recovery_stride = all ? 1 : stride,
          .every_error = all || every_error,
          .every_harm = all || every_harm};
}

void expect_whole(const FaultScenario& scenario, const char* name, bool every_error = false,
                  bool every_harm = true) {
  const FaultReport report = run_faults(scenario, limits(every_error, every_harm));
  std::printf("%s: %zu fault points, %zu runs hurt, %zu states, %zu recoveries\n", name, report.points,
              report.runs, report.states, report.recoveries);
  for (const std::string& violation : report.violations) ADD_FAILURE() << violation;
  EXPECT_GT(report.points, 100U);
}

TEST(Faults, AChangeableHostEndsOldOrNew) { expect_whole(changeable_scenario(), "changeable audit", true); }

TEST(Faults, ALockedHostEndsOldOrNewAcrossItsReboots) { expect_whole(locked_scenario(), "locked audit"); }

TEST(Faults, AFailedVerificationAfterTheRebootEndsOld) {
  FaultScenario scenario = locked_scenario();
  scenario.ends_old = true;
  scenario.verify = [](const Host&, const Plan&) {
    Verification verification;
    verification.checks.push_back({.id = "flow", .ok = false, .text = "no events"});
    return base::Result<Verification>(std::move(verification));
  };
  expect_whole(scenario, "failed verification");
}

/// What these add to the journal is the same for every way of being hurt.
void expect_sampled(const FaultScenario& scenario, const char* name) {
  expect_whole(scenario, name, false, false);
}

TEST(Faults, ARemedyOnAChangeableHostEndsOldOrNew) {
  expect_sampled(remedied(changeable_scenario()), "remedy, changeable audit");
}

TEST(Faults, ARemedyOnALockedHostEndsOldOrNewAcrossAnotherReboot) {
  expect_sampled(remedied(locked_scenario()), "remedy, locked audit");
}

TEST(Faults, AnExtensionOfAChangeableHostEndsOldOrNew) {
  expect_sampled(extended(changeable_scenario()), "extension, changeable audit");
}

TEST(Faults, AnExtensionOfALockedHostEndsOldOrNewAcrossAnotherReboot) {
  expect_sampled(extended(locked_scenario()), "extension, locked audit");
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
