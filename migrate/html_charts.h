// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "auditd/log.h"
#include "migrate/exclusion.h"
#include "migrate/html.h"

namespace auditshift::migrate {

/// Events per day of the audit log by the rules' key, the busiest keys first, as one inline SVG with its
/// numbers as text. Nothing for an empty log.
Html chart_of_events_per_day(const auditd::LogStatistics& log);

/// Events per day that each exclusion's entry would hide although its rules did not. Nothing when no
/// exclusion hides more, or the log cannot tell.
Html chart_of_blinded_events(const std::vector<ExclusionIntent>& exclusions);

}  // namespace auditshift::migrate
