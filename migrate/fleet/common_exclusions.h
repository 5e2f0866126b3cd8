// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "migrate/fleet/fleet.h"

namespace auditshift::migrate::fleet {

/// Fills in `exclusions`, `policy_hosts` and `policy` from the fleet's hosts.
///
/// A policy reaches every host, also those that never had the exclusion; so only such exclusions are put into
/// it that many hosts have, that are dangerous nowhere, and on which no host waits for a decision.
void find_common_exclusions(Fleet& fleet);

}  // namespace auditshift::migrate::fleet
