// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace auditshift::auditd {

/// The beginning of one record: `[node=N ]type=T msg=audit(SECONDS.MILLIS:SERIAL):`. Views into the line.
struct RecordHead {
  std::string_view node;
  std::string_view type;
  std::string_view stamp;  ///< "SECONDS.MILLIS:SERIAL)": what the records of one event share
  std::string_view body;   ///< what follows "):", up to the line's end
};

/// What names an event. The kernel's serial alone does not: it starts anew at boot.
struct EventStamp {
  std::uint32_t seconds = 0;
  std::uint32_t millis = 0;
  std::uint64_t serial = 0;

  bool operator==(const EventStamp&) const = default;
};

/// Splits a line (without its newline) into head and body; nothing when it is no audit record. The stamp's
/// text is not looked into beyond its closing parenthesis.
std::optional<RecordHead> parse_record_head(std::string_view line);

/// Reads "SECONDS.MILLIS:SERIAL)"; nothing when it is malformed or after the year 2106.
std::optional<EventStamp> parse_event_stamp(std::string_view stamp);

/// The part of a body that the kernel or the sender wrote: without the interpretations that auditd's
/// ENRICHED format adds after a byte 0x1d.
std::string_view raw_body(std::string_view body);

/// arch= and syscall= of a SYSCALL record.
struct SyscallNumber {
  std::uint32_t arch = 0;
  int number = -1;
};
SyscallNumber parse_syscall_number(std::string_view raw);

/// Values of exe= and key= as they stand in the record: quoted, hexadecimal or a bare word. Empty when
/// absent.
struct ExeAndKey {
  std::string_view exe;
  std::string_view key;
};
/// Looks from the record's end, where these fields are. `with_key`: also wants the key.
ExeAndKey find_exe_and_key(std::string_view raw, bool with_key);

/// The text of such a value: quotes taken off, hexadecimal decoded. "(null)" and "?" are empty. `buffer`
/// holds decoded text; the view is valid until it changes.
std::string_view decode_value(std::string_view value, std::string& buffer);

}  // namespace auditshift::auditd
