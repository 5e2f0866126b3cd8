// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/exclusion.h"
#include "migrate/facts.h"
#include "migrate/html.h"
#include "migrate/inventory.h"

namespace auditshift::migrate {

struct Bar {
  std::string name;
  std::uint64_t value = 0;
};

/// Horizontal bars, the longest first, at most twelve; the picture's text says the numbers, so that it can be
/// heard. Nothing when all are 0. The unit stands behind each number, `unit_of_one` behind a 1.
Html bar_chart(std::vector<Bar> bars, Markup title, Markup unit, Markup unit_of_one);

/// An attribute whose value is a plain number, without the separators of running text.
void number_attribute(Html& page, Markup name, std::uint64_t value);

/// Events per day that each recording rule may have caused (auditd::volume_of), the busiest rules first, as
/// one inline SVG with its numbers as text. Where there is no log, or nothing in it, a sentence that says so.
Html chart_of_events_by_rule(const std::vector<InventoryRule>& rules, const Facts& facts);

/// What each exclusion costs when it becomes an entry of the agent: events per day that the entry would hide
/// although its rules did not. Where nothing can be drawn, a sentence that says why.
Html chart_of_exclusion_cost(const std::vector<ExclusionIntent>& exclusions, const Facts& facts);

}  // namespace auditshift::migrate
