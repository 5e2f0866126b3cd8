// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auditshift::sensor {

/// Numbers of the record types that the sensor reads (include/uapi/linux/audit.h).
namespace audit_type {
inline constexpr std::uint16_t kSyscall = 1300;
inline constexpr std::uint16_t kPath = 1302;
inline constexpr std::uint16_t kSocketAddress = 1306;
inline constexpr std::uint16_t kCwd = 1307;
inline constexpr std::uint16_t kExecve = 1309;
inline constexpr std::uint16_t kObjectPid = 1318;
inline constexpr std::uint16_t kEnd = 1320;
inline constexpr std::uint16_t kKernelModule = 1330;
}  // namespace audit_type

/// What records of one event have in common.
struct AuditStamp {
  std::int64_t wall_ns = 0;  ///< milliseconds in fact
  std::uint64_t serial = 0;
  bool operator==(const AuditStamp&) const = default;
};

/// Takes "audit(1795248000.123:4567): " off the front of a record's text, as the kernel sends it and as
/// audit.log has it behind "msg=". Nothing when it is not there.
std::optional<AuditStamp> take_stamp(std::string_view& text);

/// One name=value of a record.
struct AuditField {
  std::string_view name;
  std::string_view value;  ///< without its quotes
  bool quoted = false;
};

/// Walks the fields of a record's text behind its stamp. Words that are no field are passed over.
class AuditFields {
 public:
  explicit AuditFields(std::string_view text) : rest_(text) {}
  bool next(AuditField& field);

 private:
  std::string_view rest_;
};

/// The text of a field that may hold any bytes: quoted as it is, else in hexadecimal digits, as
/// audit_log_untrustedstring() writes it. "(null)" and "(none)" unquoted are nothing; what is no hexadecimal
/// is itself.
std::optional<std::string> untrusted_text(const AuditField& field);

/// Bytes of hexadecimal digits; nothing when there is anything else.
std::optional<std::string> from_hex(std::string_view digits);

/// Numbers of a field; nothing when it is none, or too large.
std::optional<std::uint64_t> hex_number(std::string_view text);
std::optional<std::int64_t> signed_number(std::string_view text);
/// "4294967295" and "unset" are kUnknownId.
std::optional<std::uint32_t> id_number(std::string_view text);

/// Records of one event, in the order they came.
struct AuditEvent {
  struct Record {
    std::uint16_t type = 0;
    std::string text;  ///< behind the stamp
  };
  AuditStamp stamp;
  std::vector<Record> records;
  bool complete = false;  ///< its end came; else it was given up
};

}  // namespace auditshift::sensor
