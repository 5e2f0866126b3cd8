// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrate/change/plan.h"
#include "migrate/change/plan_facts.h"
#include "migrate/change/plan_sources.h"

namespace auditshift::migrate::change {

/// A plan, or why there is none.
struct PlanAnswer {
  std::optional<Plan> plan;
  std::vector<std::string> refusals;  ///< each in words: a blocking finding, a missing consent
  std::vector<std::string> notes;     ///< what is left alone, and why
};

/// Plans the switch of a host: only steps that are needed, none on a host that is switched already. Pure: the
/// same assessment, sources and options give the same plan, but for its time.
///
/// Order: configuration of the agent, its provider, proof that its events flow, and only then the removal of
/// Defender's rules from disk and kernel, so that there is no moment without a source of events. Exception:
/// builds that hang when they boot on eBPF with locked audit and Defender's rules on disk; there the rules
/// leave the disk first (a locked kernel keeps them, so events go on). A comparison of audit with the sensor
/// stands in between, where one is asked for.
///
/// REQUIRES: `assessment` was made with the same skip and accept as `options`. Errors: a file that cannot be
/// edited without losing something.
base::Result<PlanAnswer> make_plan(const Assessment& assessment, const PlanSources& sources,
                                   const PlanOptions& options, base::WallTime now);

/// The vendor's remedy for rules of Defender's that came back after the switch: they are taken out of disk
/// and kernel once more; where the kernel is locked, with a reboot. Nothing else of the host is touched. An
/// empty plan: there are none.
base::Result<Plan> make_remedy(const Assessment& assessment, const PlanSources& sources,
                               const PlanOptions& options, base::WallTime now);

/// Whether a plan that was made earlier still holds: compares it with what make_plan says now. The error
/// (Errc::invalid) says what changed.
base::Result<void> check_current(const Plan& plan, const Plan& now);

/// The plan for a person: its steps in order; with `host` each with its diff.
base::Result<std::string> render_plan(const Plan& plan, const Host* host);

}  // namespace auditshift::migrate::change
