// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/remedy.h"

#include <algorithm>

#include "migrate/change/make_plan.h"
#include "migrate/change/observe.h"
#include "migrate/change/verify.h"

namespace auditshift::migrate::change {
namespace {

bool rules_came_back(const Verification& verification) {
  return std::any_of(verification.checks.begin(), verification.checks.end(), [](const Verified& check) {
    return !check.ok && (check.id == verified::kKernelRules || check.id == verified::kRulesDirectory ||
                         check.id == verified::kCompiledRules);
  });
}

}  // namespace

base::Result<std::optional<Plan>> find_remedy(const Host& host, const Plan& plan,
                                              const Verification& verification) {
  const auto decided = plan.facts.find("options");
  if (!rules_came_back(verification) || decided == plan.facts.end()) return std::optional<Plan>();
  AUDITSHIFT_TRY(options, plan_options_from_json(*decided));
  const Assessment assessment = assess(observe(host), {options.skip, options.accept});
  AUDITSHIFT_TRY(sources, read_plan_sources(*host.files, assessment));
  AUDITSHIFT_TRY(remedy, make_remedy(assessment, sources, options, host.clock->now()));
  return std::optional<Plan>(std::move(remedy));
}

}  // namespace auditshift::migrate::change
