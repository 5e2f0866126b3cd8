// SPDX-License-Identifier: Apache-2.0
#include "auditd/log.h"

#include <libaudit.h>

#include "auditd/log_files.h"
#include "auditd/log_reader.h"

namespace auditshift::auditd {

std::vector<std::string> split_keys(std::string_view text) {
  constexpr char kSeparator = '\x01';  // AUDIT_KEY_SEPARATOR
  std::vector<std::string> keys;
  while (!text.empty()) {
    const std::size_t end = text.find(kSeparator);
    if (end != 0) keys.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return keys;
}

std::string record_type_name(std::uint32_t type) {
  const char* name = audit_msg_type_to_name(static_cast<int>(type));
  return name != nullptr ? name : "UNKNOWN[" + std::to_string(type) + "]";
}

LogStatistics read_log(const base::Sysroot& host, const LogOptions& options, base::Progress& progress) {
  std::vector<std::string> errors;
  std::vector<LogFile> files = find_log_files(host, options.log_file, errors);
  if (options.since) drop_older_files(files, options.since->time_since_epoch().count());

  std::uint64_t total = 0;
  for (const LogFile& file : files) total += file.size;
  std::uint64_t done = 0;
  LogReader reader(options);
  std::vector<std::string> names;
  for (const LogFile& file : files) {
    const auto end = stream_log_file(
        file, [&](std::string_view bytes) { reader.feed(bytes); },
        [&](std::uint64_t bytes) {
          done += bytes;
          // The live log grows while it is read.
          progress.update(done < total ? done : total, total, "bytes");
        });
    reader.end_of_file();
    names.push_back(file.path);
    if (!end) {
      errors.push_back(end.error().message());
    } else if (*end == LogFileEnd::truncated) {
      reader.mark_truncated();
    }
  }
  LogStatistics statistics = reader.finish();
  statistics.files = std::move(names);
  statistics.errors = std::move(errors);
  return statistics;
}

}  // namespace auditshift::auditd
