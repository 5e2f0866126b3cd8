// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/unit/migrate/change/fault_harness.h"

namespace auditshift::tests {

/// Defender's two rules, as they stand in the host's rules.d/mdatp.rules.
extern const char* const kDefenderRules;

/// A host of Defender's auditd era whose loader is augenrules: file names decide the order, so Defender's
/// rules stand before and between the user's. `last_line` ends the last rules file: "-e 2\n" locks audit.
FaultScenario defender_era_scenario(const std::string& last_line);
/// The same host on an old build that a rollback of this tool installed and holds, with a newer one on offer.
FaultScenario held_build_scenario();

}  // namespace auditshift::tests
