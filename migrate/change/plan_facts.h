// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "migrate/assess.h"
#include "migrate/change/plan_sources.h"

namespace auditshift::migrate::change {

/// Seconds; a day.
inline constexpr std::uint32_t kLongestComparison = 86400;

/// What the administrator decided when the plan was made.
struct PlanOptions {
  AgentKind agent = AgentKind::none;  ///< none: the one that is on the host
  std::set<std::string> skip;         ///< ids of checks
  std::set<std::string> accept;       ///< ids of findings and exclusions
  std::uint32_t compare_seconds = 0;  ///< compare audit with the sensor for so long; 0: not at all
  bool leftovers = false;             ///< also remove what no loader reads
};
base::Json to_json(const PlanOptions& options);
base::Result<PlanOptions> plan_options_from_json(const base::Json& json);

/// The facts a plan follows from. Not among them: what changes by itself (boot id, time, counters, the log).
base::Json plan_facts(const Assessment& assessment, const PlanSources& sources, const PlanOptions& options);

/// What differs between the facts of a plan and those of now, each in words. Empty: nothing.
std::vector<std::string> what_changed(const base::Json& planned, const base::Json& now);

}  // namespace auditshift::migrate::change
