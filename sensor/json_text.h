// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "sensor/text_buffer.h"

/// JSON and time as text, appended to a buffer that the caller reuses: nothing here allocates once the buffer
/// has grown to its working size.
namespace auditshift::sensor {

/// Appends `text` as a JSON string, quotes included. Whatever the bytes are, the result is valid JSON in
/// valid UTF-8 on one line, and no terminal control survives: C0 and C1 controls, DEL, and the characters
/// that reorder or hide text become \uNNNN, which a JSON reader turns back.
///
/// Bytes that are no UTF-8 have no place in JSON. Each becomes the four characters \xNN, and in such a string
/// a backslash is doubled, so that the bytes can be told exactly. True when that was done: the caller must
/// say so beside the string.
bool append_json_string(TextBuffer& out, std::string_view text);

void append_number(TextBuffer& out, std::uint64_t number);
void append_number(TextBuffer& out, std::int64_t number);

/// Seconds since 1970 → "2026-11-21T08:00:00" by a cache of the last day and second, since events come in
/// order and the calendar is dear.
class TimeText {
 public:
  /// Appends RFC 3339 in UTC with nanoseconds: "2026-11-21T08:00:00.123456789Z".
  void append(TextBuffer& out, std::int64_t wall_ns);

 private:
  std::int64_t second_ = INT64_MIN;
  char text_[20] = {};  ///< of second_, "2026-11-21T08:00:00."
};

}  // namespace auditshift::sensor
