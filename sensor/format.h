// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sensor/event.h"
#include "sensor/field_table.h"

namespace auditshift::sensor {

/// How an event becomes a line of JSON. Every field with its source: docs/events.md.
enum class Format {
  ecs,   ///< Elastic Common Schema 8.11; what it has no place for is under "auditshift"
  ocsf,  ///< Open Cybersecurity Schema Framework 1.4.0; what it has no place for is under "unmapped"
  raw,   ///< the event model as it is
};

std::optional<Format> format_from_name(std::string_view name);
std::string_view format_name(Format format);

/// All fields of a format, in the order of the document.
std::span<const Field> format_fields(Format format);

/// Turns events into lines. Appends to the caller's buffer and does not allocate on the way, once the buffer
/// has its size. Not to be shared between threads.
class Formatter {
 public:
  Formatter(Format format, StreamIdentity stream);

  /// One line, newline included. `provider` is the name of where the event came from.
  void append(TextBuffer& out, const Event& event, std::string_view provider, std::uint64_t sequence) {
    table_.append(out, Record{event, stream_, provider, sequence});
  }

 private:
  StreamIdentity stream_;
  FieldTable table_;
};

}  // namespace auditshift::sensor
