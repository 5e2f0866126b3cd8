// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "bpf/record.h"
#include "sensor/event.h"
#include "sensor/path.h"
#include "sensor/watched_calls.h"

namespace auditshift::sensor {

/// Turns the kernel side's records (bpf/record.h) into events. Trusts nothing: a record whose lengths do not
/// add up is refused, and one that lies reads no byte outside itself.
///
/// One event at a time: it and its texts live until the next decode(). Not for several threads.
class RecordDecoder {
 public:
  /// Nanoseconds to add to CLOCK_BOOTTIME to get the wall clock.
  void set_wall_offset(std::int64_t offset_ns) { wall_offset_ = offset_ns; }

  /// The event, or nullptr when `bytes` is no record of this version. It may be changed until the next call.
  /// Without `details` it has no paths, texts, addresses and executable.
  Event* decode(std::span<const std::byte> bytes, bool details = true);

 private:
  struct Text {
    std::string_view bytes;
    std::uint8_t flags = 0;
    bool has(as_text_flag flag) const { return (flags & flag) != 0; }
  };

  bool split_texts(std::span<const std::byte> bytes);
  void decode_process(bool details);
  const WatchedCall* decode_syscall();
  void apply_roles(const WatchedCall& call);
  void decode_open(const WatchedCall& call);
  void decode_paths();
  void decode_sockets();
  void decode_target();
  void finish_exit();
  std::uint64_t argument(std::uint8_t number) const;
  std::uint32_t id_argument(std::uint8_t number, bool narrow) const;
  const Path& executable();
  static Path resolve(const Text& directory, const Text& path, PathBuilder& builder);

  as_record record_{};
  std::array<Text, AS_TEXTS> texts_{};
  Event event_;
  std::int64_t wall_offset_ = 0;
  // The executable that was asked for last: what the record said, and what that means.
  std::string executable_bytes_;
  std::uint8_t executable_flags_ = 0;
  PathBuilder executable_;
  Path executable_path_;
  PathBuilder path_;
  PathBuilder second_path_;
  PathBuilder cwd_;
};

}  // namespace auditshift::sensor
