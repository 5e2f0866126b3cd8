// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "migrate/change/transaction.h"
#include "migrate/outside/boot.h"

namespace auditshift::migrate::change {

/// How far the switch of this host is, for node_exporter's textfile collector. The names are not those of
/// result_metrics(): two files that name the same metric are an error to it.
std::string status_metrics(const Status& status, const std::optional<outside::ScheduledReboot>& reboot);

}  // namespace auditshift::migrate::change
