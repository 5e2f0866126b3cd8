// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/progress.h"
#include "migrate/assess.h"
#include "migrate/change/host.h"
#include "migrate/world.h"

namespace auditshift::migrate::change {

/// The host as the collector sees it: what verification needs to look at the host that a transaction changed.
/// It runs no program and tries no eBPF.
World world_of(const Host& host);

/// Adds to the facts what the agent says about itself, where the collector does not ask it (the sensor of
/// this project).
void ask_agent(outside::Agent& agent, Facts& facts);

/// The facts of the host now, without its audit log and without trying eBPF.
Facts observe(const Host& host);

}  // namespace auditshift::migrate::change
