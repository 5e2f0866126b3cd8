// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.h"

namespace auditshift::cli {

/// The sensor's answer to a request for health, for node_exporter's textfile collector.
std::string health_metrics(const base::Json& health);

}  // namespace auditshift::cli
