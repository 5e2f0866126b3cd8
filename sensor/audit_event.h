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

  /// Calls that are not in the table are told as well, as kind `none`: who acted, which call, its result.
  void tell_unknown_calls(bool tell) { tell_unknown_calls_ = tell; }

  /// Nothing for events without a SYSCALL record, and for calls that are not in the table unless told to.
  const Event* decode(const AuditEvent& audit);

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
  bool tell_unknown_calls_ = false;
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
