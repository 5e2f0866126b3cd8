// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/step_kinds.h"

#include "migrate/change/loaded_rules.h"
#include "migrate/change/plan_steps.h"

namespace auditshift::migrate::change {
namespace {

struct Kind {
  std::string_view type;  ///< stands in plans and journals; never renamed
  StepFactory make;
};

constexpr Kind kKinds[] = {
    {"audit-plugin", make_audit_plugin},            //
    {kComparisonStep, make_comparison},             //
    {"compiled-rules", make_compiled_rules},        //
    {"enable-service", make_enable_service},        //
    {"kernel-rules", make_kernel_rules},            //
    {"loaded-rules", make_loaded_rules},            //
    {"package-pin", make_package_pin},              //
    {"package-version", make_package_version},      //
    {"provider", make_provider},                    //
    {"rate-limit", make_rate_limit},                //
    {"remove-file", make_remove_file},              //
    {"wait-for-agent", make_wait_for_agent},        //
    {"wait-for-provider", make_wait_for_provider},  //
    {"write-file", make_write_file},                //
};

}  // namespace

base::Result<std::unique_ptr<Step>> make_step(const StepSpec& spec) {
  for (const Kind& kind : kKinds)
    if (kind.type == spec.type) return kind.make(spec);
  return base::Error(base::Errc::unsupported,
                     "step '" + spec.id + "': this version knows no steps of type '" + spec.type + "'");
}

}  // namespace auditshift::migrate::change
