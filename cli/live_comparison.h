// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "cli/sensor_client.h"
#include "migrate/change/live_comparison.h"
#include "migrate/compare/comparison.h"
#include "migrate/facts.h"

namespace auditshift::cli {

/// What `compare` and the comparison within a switch are asked.
struct CompareRequest {
  migrate::AgentKind agent = migrate::AgentKind::none;  ///< none: the one that is on the host
  SensorOption sensor;
  std::string managed;  ///< whose exclusions count; empty: the agent's
  unsigned seconds = 20;
  std::vector<std::string> without;  ///< kinds of events, as if the sensor did not watch them
};

/// Audit and the sensor side by side on this host; ends early when a signal asks for it.
///
/// REQUIRES: root, and catch_signals() was called.
base::Result<migrate::compare::Comparison> compare_now(const CompareRequest& request,
                                                       base::Progress& progress);

/// The same for a step of a switch to that agent.
std::shared_ptr<migrate::change::LiveComparison> make_live_comparison(migrate::AgentKind agent);

}  // namespace auditshift::cli
