// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sensor/event.h"

/// When are an event of the audit stream and one of the sensor the same event? What follows is the one
/// answer, for `compare` and for the tests that hold the two against each other.
namespace auditshift::migrate::compare {

/// Which process, what, by which call, with which result: equal on both sides of one event. The number of the
/// process is the only identity that audit records have; what happened and when must tell the rest.
struct EventKey {
  std::uint32_t pid = 0;
  sensor::EventKind kind = sensor::EventKind::none;
  int call = 0;
  std::int64_t result = 0;

  auto operator<=>(const EventKey&) const = default;
};
EventKey key_of(const sensor::Event& event);

/// What can differ between two events of one key.
enum class Field { presence, path, second_path, address };
std::string_view field_name(Field field);
bool same(const sensor::Event& audit, const sensor::Event& sensor, Field field);
/// The field for a person: a quoted name, an address.
std::string value_of(const sensor::Event& event, Field field);
/// Names or address, as far as the event has them.
std::string object_of(const sensor::Event& event);

/// What the audit records cannot tell.
struct Limit {
  std::string_view name;
  /// `audit` is null when the audit stream lacks the event, which only `presence` asks for.
  bool (*explains)(const sensor::Event* audit, const sensor::Event& sensor, Field field);
};
std::span<const Limit> audit_limits();
/// The first limit that explains a difference, or null.
const Limit* explained_by(const sensor::Event* audit, const sensor::Event& sensor, Field field);

/// The first field in which two events of one key differ, limits aside; `presence` when none does.
Field first_difference(const sensor::Event& audit, const sensor::Event& sensor);

/// False when the two surely are of different processes that had one number after each other.
bool may_be_one_process(const sensor::Event& audit, const sensor::Event& sensor);

}  // namespace auditshift::migrate::compare
