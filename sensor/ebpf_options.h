// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sensor/event.h"

namespace auditshift::sensor {

/// BPF_MAP_CREATE, PROG_LOAD, OBJ_PIN, OBJ_GET, PROG_ATTACH, PROG_DETACH, RAW_TRACEPOINT_OPEN, LINK_CREATE,
/// LINK_UPDATE, LINK_DETACH, one bit each (enum bpf_cmd in linux/bpf.h).
inline constexpr std::uint64_t kBpfCommands = 0x4300203e1ULL;

/// What the ebpf provider watches. Fixed once it has started.
struct EbpfOptions {
  /// All that the programs can supply.
  static KindSet possible_kinds();
  /// The same, but for datagrams and socket options: much noise, little news.
  static KindSet default_kinds();

  KindSet kinds = default_kinds();
  bool reads = false;         ///< opens that only read
  bool threads = false;       ///< fork events for new threads
  bool failed_access = true;  ///< calls refused with EACCES or EPERM
  bool failed_other = false;  ///< calls that failed for another reason
  bool all_sockets = false;   ///< socket(2) beyond raw and packet sockets
  bool all_ptrace = false;    ///< ptrace requests that only look
  /// bpf(2) commands worth an event: those that create, load, pin, attach, not those that read and write
  /// maps.
  std::uint64_t bpf_commands = kBpfCommands;
  std::uint32_t argv_limit = 4096;         ///< bytes of an argument vector, at most 4096
  std::uint64_t ring_bytes = 16ULL << 20;  ///< a power of two, at least a page
  /// Attach to tracepoints through perf events on every kernel, not only from Linux 7.0 on, where programs
  /// would else be preempted (bpf/preemption.bpf.h).
  bool perf_events = false;
  std::chrono::milliseconds drain_interval{50};  ///< longest wait of a record while the ring is far from full
  /// A directory on a BPF file system, made when it is not there, its name without a dot, where programs,
  /// maps and ring outlive this process, so that one that starts after a crash goes on where this one ended.
  /// Empty: they end with it.
  std::string pin_directory;
};

}  // namespace auditshift::sensor
