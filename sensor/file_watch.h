// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

namespace auditshift::sensor {

/// Tells when a file was written, replaced, made or removed, to who asks on a timer: one stat(2) each time.
///
/// Not inotify(7): from the first watch on a file system on, the kernel prepares a notification for each
/// change of a name on all of it (fsnotify_sb_has_watchers(), include/linux/fsnotify.h). Where nobody else
/// watches, that would cost every rename of the host more than half of what a record of it does.
class FileWatch {
 public:
  explicit FileWatch(std::string path);

  /// Whether the file is another than when this was asked last, or than at the start.
  bool changed();
  const std::string& path() const { return path_; }

 private:
  /// Device, inode, size, times of the last modification and of the last change, each in nanoseconds; nothing
  /// when there is no file.
  using Signature =
      std::optional<std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>>;

  Signature look() const;

  std::string path_;
  Signature last_;
};

}  // namespace auditshift::sensor
