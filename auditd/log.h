// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::auditd {

/// Events and the bytes their records take in the log.
struct Volume {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;

  Volume& operator+=(const Volume& other);
};

/// One dimension of the log: name → day → volume.
using DailyVolumes = std::map<std::string, std::map<std::chrono::sys_days, Volume>, std::less<>>;

/// What distinguishes the events that one rule may have caused: its key, the syscall, the ABI, the
/// executable.
struct EventClass {
  std::string key;         ///< empty: no key; several keys of one rule are joined by the byte 0x01
  std::uint32_t arch = 0;  ///< AUDIT_ARCH_*, 0 when unknown
  int syscall = -1;        ///< -1 when the event has no SYSCALL record
  std::string executable;

  auto operator<=>(const EventClass&) const = default;
};

/// What an audit log says about its own volume. Days are UTC. A name that came when a table was full is
/// counted under "(other)".
struct LogStatistics {
  std::chrono::sys_days first_day{};
  std::chrono::sys_days last_day{};
  std::uint64_t days = 0;  ///< calendar days from first to last, both counted; 0 for an empty log
  Volume total;
  DailyVolumes by_key;          ///< an event with several keys counts for each
  DailyVolumes by_record_type;  ///< events that have such a record; bytes of these records alone
  DailyVolumes by_executable;
  DailyVolumes by_syscall;  ///< "x86_64:openat", number when it has no name
  std::map<EventClass, Volume> classes;
  std::uint64_t classes_folded = 0;  ///< events whose executable was folded into "(other)" by the limit
  std::uint64_t lines = 0;
  std::uint64_t malformed = 0;    ///< lines that are no audit record
  std::uint64_t truncated = 0;    ///< last line without end, or a gzip stream cut short
  std::uint64_t interleaved = 0;  ///< times a record of another event came between those of one
  /// Syscall events without the record that ends them (PROCTITLE). All of them, when it is excluded.
  std::uint64_t unfinished = 0;
  std::vector<std::string> files;
  std::vector<std::string> errors;  ///< files that could not be read, with the reason
};

struct LogOptions {
  std::string log_file = "/var/log/audit/audit.log";
  /// Only events at or after this time; files wholly older are passed over.
  std::optional<std::chrono::sys_seconds> since;
  std::string machine = "x86_64";
  std::size_t class_limit = 100'000;  ///< so that a hostile log cannot take all memory
};

/// The keys of a record's or rule's key text, which joins them by the byte 0x01.
std::vector<std::string> split_keys(std::string_view text);

/// Streams the log and its rotated files (audit.log.1, .2.gz, …), oldest first. Memory does not grow with the
/// size of the log. A missing log is not an error: the statistics are empty.
LogStatistics read_log(const base::Sysroot& host, const LogOptions& options, base::Progress& progress);

/// The name of a record type as logs have it: "SYSCALL", "UNKNOWN[1999]".
std::string record_type_name(std::uint32_t type);

/// Volume of the events that a rule may have caused: its key, syscalls, ABI and executable all agree. Events
/// that several rules with one key could have caused count for each of them. For a rule that silences
/// (`never`, the user and exclude lists): of the logged events it would take, its key left aside; with
/// msgtype= alone the records of that type. Rules of the task and filesystem lists have none.
Volume volume_of(const Rule& rule, const LogStatistics& log);

}  // namespace auditshift::auditd
