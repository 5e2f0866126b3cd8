// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/fd.h"

namespace auditshift::sensor {

/// Tells when a file was written, replaced, made or removed. inotify on its directory gives the wake-up; what
/// counts is whether the file is another than at the last look, so a caller that also asks on a timer misses
/// nothing where inotify does not work (a directory that does not exist yet, network file systems).
class FileWatch {
 public:
  explicit FileWatch(std::string path);

  /// Readable when it is worth asking changed(); -1 when inotify is not there.
  int descriptor() const { return inotify_.get(); }
  /// Whether the file is another than when this was asked last, or than at the start.
  bool changed();
  const std::string& path() const { return path_; }

 private:
  /// Device, inode, size, modification time; nothing when there is no file.
  using Signature =
      std::optional<std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>>;

  Signature look() const;
  void watch();

  std::string path_;
  base::Fd inotify_;
  bool watching_ = false;
  Signature last_;
};

}  // namespace auditshift::sensor
