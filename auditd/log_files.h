// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/sysroot.h"

namespace auditshift::auditd {

/// One file of a log, held open: a rotation between listing and reading cannot swap it.
struct LogFile {
  std::string path;
  base::Fd fd;
  std::uint64_t size = 0;             ///< bytes on disk
  std::int64_t modified = 0;          ///< seconds since 1970
  std::optional<std::int64_t> first;  ///< time of its first record; nothing when it has none at its beginning
};

/// The log and its rotated files (`.1`, `.2.gz`, `-20260101`), oldest first by their first record. What
/// cannot be used is told in `errors`.
std::vector<LogFile> find_log_files(const base::Sysroot& host, const std::string& log_file,
                                    std::vector<std::string>& errors);

/// Takes away from the front what lies wholly before `since` (seconds).
void drop_older_files(std::vector<LogFile>& files, std::int64_t since);

/// Gives the content to `sink` in pieces, inflated when it is gzip (told by its first bytes, not its name).
/// `on_disk` is called with the number of bytes read from disk since the last call.
enum class LogFileEnd { complete, truncated };
base::Result<LogFileEnd> stream_log_file(const LogFile& file,
                                         const std::function<void(std::string_view)>& sink,
                                         const std::function<void(std::uint64_t)>& on_disk);

}  // namespace auditshift::auditd
