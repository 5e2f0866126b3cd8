// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "auditd/log.h"
#include "migrate/exclusion.h"
#include "migrate/html.h"

namespace auditshift::migrate {

struct Bar {
  std::string name;
  std::uint64_t value = 0;
};

/// Horizontal bars, the longest first, at most twelve; the picture's text says the numbers, so that it can be
/// heard. Nothing when all are 0.
Html bar_chart(std::vector<Bar> bars, Markup title, Markup unit);

/// An attribute whose value is a plain number, without the separators of running text.
void number_attribute(Html& page, Markup name, std::uint64_t value);

/// Events per day of the audit log by the rules' key, the busiest keys first, as one inline SVG with its
/// numbers as text. Nothing for an empty log.
Html chart_of_events_per_day(const auditd::LogStatistics& log);

/// Events per day that each exclusion's entry would hide although its rules did not. Nothing when no
/// exclusion hides more, or the log cannot tell.
Html chart_of_blinded_events(const std::vector<ExclusionIntent>& exclusions);

}  // namespace auditshift::migrate
