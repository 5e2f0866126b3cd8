// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

/// What a switch will do on this host, in order; bound to the facts and the tool it was made from.
struct Plan {
  std::string tool_version;
  base::WallTime created_at;
  std::string machine_id;
  std::string facts_hash;  ///< sha256 over those facts that the plan follows from
  base::Json facts;        ///< the same facts, so that a stale plan can say what changed
  AgentKind agent = AgentKind::none;
  /// In the order of doing. A step whose change a boot takes back (rules in the kernel) stands before those
  /// that would make it last (rules on disk): only then is its capture, the way back, there whenever a power
  /// cut boots the host into the half-made change.
  std::vector<StepSpec> steps;
  /// Steps from this one on wait until the host has booted again; equal to steps.size() when none does.
  std::size_t before_reboot = 0;
  bool reboot = false;                             ///< the kernel must boot again for the plan to take effect
  std::string reboot_reason;                       ///< why, in words
  base::Json expectations = base::Json::object();  ///< what verification holds the host against

  /// Nothing to do, not even a reboot.
  bool empty() const { return steps.empty() && !reboot; }
};

base::Json to_json(const Plan& plan);
base::Result<Plan> plan_from_json(const base::Json& json);

}  // namespace auditshift::migrate::change
