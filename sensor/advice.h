// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sensor/event_counts.h"
#include "sensor/exclusion.h"

namespace auditshift::sensor {

/// An exclusion that would have removed many of the events that were counted, and what it would have blinded.
struct Advice {
  Exclusion entry;
  std::uint64_t events = 0;
  std::vector<std::pair<EventKind, std::uint64_t>> blinds;  ///< what those events were, most first
  std::vector<std::string> dangers;  ///< why not to do it; filled in by who knows the host
};

/// The entries that would have removed most, at most `limit`, most first, as class Exclusions means them. Of
/// folders inside each other the deepest is named that holds nine tenths of what the upper one does; a folder
/// in which one file has all events gives way to that file. "/" is never advised.
std::vector<Advice> advise(const EventCounts& counts, std::size_t limit);

}  // namespace auditshift::sensor
