// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sysroot.h"
#include "sensor/event.h"
#include "sensor/start_times.h"

namespace auditshift::sensor {

/// What the kernel puts behind the path of a removed file (fs/d_path.c).
inline constexpr std::string_view kDeleted = " (deleted)";

/// One process as /proc shows it (proc(5)), kept by value.
struct ProcessInfo {
  ProcessIdentity id;
  ProcessIdentity parent;  ///< start_ns is 0: /proc does not tell
  std::string comm;
  std::string executable;  ///< empty for a kernel thread, or when not readable
  bool executable_deleted = false;
  std::string argv;  ///< arguments, each ended by NUL
  bool argv_truncated = false;
  std::string cwd;
  bool cwd_deleted = false;
  std::uint32_t uid = kUnknownId, euid = kUnknownId, suid = kUnknownId, fsuid = kUnknownId;
  std::uint32_t gid = kUnknownId, egid = kUnknownId, sgid = kUnknownId, fsgid = kUnknownId;
  std::uint32_t auid = kUnknownId;
  std::uint32_t session = kUnknownId;
  std::uint32_t threads = 1;
  std::uint32_t mount_namespace = 0;
  std::string container_id;

  /// Puts it into the event. The views point into this.
  void fill(Process& process) const;
};

/// The threads of a process.
struct ThreadList {
  std::vector<std::uint32_t> living;  ///< that have not begun to end
  bool some_are_ending = false;       ///< others are on their way to their end (sched_process_exit)
};

/// Reads /proc of a host. What is gone or hidden stays unknown.
class ProcReader {
 public:
  /// `clock_ticks` per second (sysconf(_SC_CLK_TCK)) is the unit of start times.
  /// Where `exact` has the start time of a process, it is that, else the tick that /proc shows.
  ProcReader(const base::Sysroot& host, long clock_ticks, StartTimes exact = {})
      : host_(&host), clock_ticks_(clock_ticks), exact_(std::move(exact)) {}

  /// False when there is no such process (any more); `info` is then half filled.
  bool read(std::uint32_t pid, ProcessInfo& info) const;
  /// Its user and group ids alone.
  bool read_ids(std::uint32_t pid, ProcessInfo& info) const;
  /// Its threads; none when it is gone.
  ThreadList threads(std::uint32_t pid) const;
  /// The number of its mount namespace; 0 when it may not be asked.
  std::uint32_t mount_namespace(std::uint32_t pid) const;
  /// All processes there are, in ascending order.
  std::vector<std::uint32_t> list() const;

  /// Rounds a time down to the grain of start times.
  std::uint64_t to_tick(std::uint64_t boot_ns) const;

 private:
  bool read_stat(const std::string& directory, ProcessInfo& info) const;
  void read_paths(const std::string& directory, ProcessInfo& info) const;

  const base::Sysroot* host_;
  long clock_ticks_;
  StartTimes exact_;
};

}  // namespace auditshift::sensor
