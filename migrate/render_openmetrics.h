// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "migrate/assess.h"

namespace auditshift::migrate {

/// The assessment as metrics for node_exporter's textfile collector (docs/assessment.md, "Metrics"). Write it
/// with
/// `-o FILE.prom`: the file is replaced as a whole.
std::string render_openmetrics(const Assessment& assessment);

}  // namespace auditshift::migrate
