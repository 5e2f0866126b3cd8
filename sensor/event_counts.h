// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "sensor/event.h"

namespace auditshift::sensor {

/// Events counted by name, kind by kind: what statistics and advice are made of.
struct EventCounts {
  struct Names {
    std::string path;
    std::string second_path;  ///< rename, link; else empty
    EventKind kind = EventKind::none;
    bool known = false;  ///< in full, from the root on: what a file or folder exclusion asks for
    auto operator<=>(const Names&) const = default;
  };
  struct ByInitiator {
    std::uint64_t events = 0;
    std::uint64_t ns = 0;  ///< time that the kernel side spent on them; 0 where it does not count
  };

  std::map<Names, std::uint64_t> names;
  std::map<std::pair<std::string, EventKind>, ByInitiator> initiators;
  std::map<int, std::uint64_t> syscalls;
  std::uint64_t events = 0;
  std::uint64_t not_counted = 0;  ///< names that came after a limit was reached, or were too long

  void add_names(const Event& event, std::uint64_t count);
  void forget_names(const Event& event);
  void add_initiator(const Event& event, std::uint64_t count, std::uint64_t ns);
  /// Leaves what came since `before`, an earlier state of the same counters.
  void subtract(const EventCounts& before);
};

}  // namespace auditshift::sensor
