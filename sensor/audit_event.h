// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sensor/audit_record.h"
#include "sensor/event.h"
#include "sensor/path.h"
#include "sensor/watched_calls.h"

namespace auditshift::sensor {

/// Turns an event of the audit system into one of the sensor's model. Which calls are known, and what their
/// arguments mean, is the same table as the ebpf provider's (watched_calls.h).
///
/// One event at a time: it and its texts live until the next decode().
class AuditDecoder {
 public:
  /// Nanoseconds to take from the wall clock to get boot time.
  void set_boot_offset(std::int64_t offset_ns) { boot_offset_ = offset_ns; }

  /// Nothing for events without a SYSCALL record, and for calls that are not in the table.
  const Event* decode(const AuditEvent& audit);

  /// Key of the rule that caused the last decoded event; empty when it has none. Several keys are separated
  /// by byte 1.
  const std::string& key() const { return key_; }

 private:
  /// A PATH record.
  struct Item {
    std::string name;
    std::string type;  ///< nametype: PARENT, NORMAL, DELETE, CREATE, UNKNOWN
    bool present = false;
  };

  void reset(const AuditEvent& audit);
  bool read_syscall(std::string_view text);
  void read_field(const AuditField& field);
  void read_path(std::string_view text);
  void read_execve(std::string_view text);
  void read_address(std::string_view text);
  void read_target(std::string_view text);
  void apply_roles(const WatchedCall& call);
  void apply_paths(const WatchedCall& call);
  void apply_address(const WatchedCall& call);
  void set_path(Path& path, const Item* item, std::uint8_t directory, PathBuilder& builder);
  const Item* item_of(std::string_view type, std::size_t nth = 0) const;
  std::uint64_t argument(std::uint8_t number) const;
  std::uint32_t id_argument(std::uint8_t number, bool narrow) const;

  std::int64_t boot_offset_ = 0;
  Event event_;
  std::uint32_t arch_ = 0;
  std::string comm_;
  std::string executable_;
  std::string key_;
  std::optional<std::string> cwd_;
  std::vector<Item> items_;
  std::string argv_;
  std::string address_;
  std::string text_;
  PathBuilder path_;
  PathBuilder second_path_;
};

}  // namespace auditshift::sensor
