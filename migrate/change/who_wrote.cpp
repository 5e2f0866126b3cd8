// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "auditd/log_files.h"
#include "auditd/log_record.h"
#include "base/text.h"
#include "migrate/change/verify.h"
#include "migrate/owner.h"

namespace auditshift::migrate::change {
namespace {

/// Gives each whole line of the log, and of its rotated files from `since` on, to `take`.
template <class Take>
bool for_each_record(const base::Sysroot& host, const std::string& log_file, std::int64_t since, Take take) {
  std::vector<std::string> errors;
  std::vector<auditd::LogFile> files = auditd::find_log_files(host, log_file, errors);
  if (files.empty()) return false;
  auditd::drop_older_files(files, since);
  constexpr std::size_t kLongest = 64 * 1024;
  for (const auditd::LogFile& file : files) {
    std::string carry;
    const auto sink = [&](std::string_view bytes) {
      for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        carry += bytes.substr(0, end);
        take(std::string_view(carry));
        carry.clear();
        bytes.remove_prefix(end + 1);
      }
      if (carry.size() < kLongest) carry += bytes;
    };
    (void)auditd::stream_log_file(file, sink, [](std::uint64_t) {});
  }
  return true;
}

bool has_defender_key(std::string_view value, std::string& buffer) {
  const std::string_view keys = auditd::decode_value(value, buffer);
  for (const std::string_view key : base::split(keys, '\x01'))
    if (is_defender_key(key)) return true;
  return false;
}

/// The last program that the log names beside this path.
std::string writer_in_log(const Host& host, const std::string& log_file, const std::string& path) {
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(host.clock->now().time_since_epoch()) -
                     std::chrono::days(2);
  std::string event;
  std::string exe;
  std::string found;
  std::string buffer;
  const std::string quoted = "name=\"" + path + "\"";
  for_each_record(*host.files, log_file, since.count(), [&](std::string_view line) {
    const auto head = auditd::parse_record_head(line);
    if (!head) return;
    if (head->type == "SYSCALL") {
      event = head->stamp;
      exe = auditd::decode_value(auditd::find_exe_and_key(auditd::raw_body(head->body), false).exe, buffer);
    } else if (head->type == "PATH" && head->stamp == event &&
               head->body.find(quoted) != std::string_view::npos &&
               (head->body.find("nametype=CREATE") != std::string_view::npos ||
                head->body.find("nametype=NORMAL") != std::string_view::npos)) {
      found = exe;
    }
  });
  return found;
}

std::string package_of(const Host& host, const std::string& path) {
  if (!host.processes) return {};
  const std::vector<std::string> queries[] = {{"dpkg-query", "-S", path},
                                              {"rpm", "-qf", "--qf", "%{NAME}\n", path}};
  for (const auto& argv : queries) {
    const auto answer = host.processes->run({.argv = argv, .input = {}});
    if (!answer || !answer->success()) continue;
    const std::string_view line = base::trim(answer->output);
    return std::string(line.substr(0, line.find_first_of(":\n")));
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> defender_records_since(const base::Sysroot& host, const std::string& log_file,
                                                    base::WallTime since) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(since).time_since_epoch().count();
  std::uint64_t number = 0;
  std::uint32_t newest = 0;  // of those that were counted
  std::uint64_t highest = 0;
  bool started = false;  // the daemon has, and nothing of the kernel's came since
  std::string buffer;
  const bool known = for_each_record(host, log_file, seconds, [&](std::string_view line) {
    // A clock that went back between two boots: what was written before the daemon started is older, whatever
    // time it bears.
    if (number != 0 && line.find("type=DAEMON_START ") != std::string_view::npos) {
      const auto start = auditd::parse_record_head(line);
      const auto stamp = start ? auditd::parse_event_stamp(start->stamp) : std::nullopt;
      if (stamp && stamp->seconds < newest) number = 0;
      started = true;
    } else if (started && number != 0 && line.find("type=DAEMON_") == std::string_view::npos) {
      // Or it went back by less than the boot took. The kernel numbers its events from one on at each boot.
      const auto first = auditd::parse_record_head(line);
      const auto stamp = first ? auditd::parse_event_stamp(first->stamp) : std::nullopt;
      if (stamp && stamp->serial < highest) number = 0;
      started = !stamp;
    }
    if (number == 0) newest = 0, highest = 0, started = false;
    if (line.find("key=") == std::string_view::npos) return;
    const auto head = auditd::parse_record_head(line);
    if (!head || head->type != "SYSCALL") return;
    const auto stamp = auditd::parse_event_stamp(head->stamp);
    if (!stamp || stamp->seconds < seconds) return;
    const auto key = auditd::find_exe_and_key(auditd::raw_body(head->body), true).key;
    if (!has_defender_key(key, buffer)) return;
    ++number;
    newest = std::max(newest, stamp->seconds);
    highest = std::max(highest, stamp->serial);
  });
  if (!known) return std::nullopt;
  return number;
}

std::string who_wrote(const Host& host, const Facts& facts, const std::string& path) {
  std::vector<std::string> parts;
  if (const auto info = host.files->stat(path)) {
    const base::WallTime modified{std::chrono::seconds(info->modified.tv_sec)};
    parts.push_back("written " + base::format_utc(modified));
  }
  if (const std::string exe = writer_in_log(host, facts.audit.layout.log_file, path); !exe.empty())
    parts.push_back("by " + exe + " (audit log)");
  if (const std::string package = package_of(host, path); !package.empty())
    parts.push_back("belongs to package " + package);
  for (const Evidence& mark : facts.audit.configuration_management)
    if (mark.file == path) parts.push_back("carries the mark of " + mark.text);
  if (parts.size() < 2) {
    std::set<std::string> tools;
    for (const Evidence& mark : facts.audit.configuration_management)
      tools.insert(mark.text.substr(0, mark.text.find(':')));
    for (const std::string& tool : tools) parts.push_back("other audit files here belong to " + tool);
  }
  return parts.empty() ? "nothing tells who wrote it" : base::join(parts, ", ");
}

}  // namespace auditshift::migrate::change
