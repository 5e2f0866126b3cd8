// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace auditshift::bench {

/// Of bare.bpf.c and, by default, of the sensor.
inline constexpr std::uint64_t kRingBytes = 16 << 20;

/// What runs beside the workloads: nothing, a bare program, a real auditd with rules like Defender's, or the
/// daemon.
class Service {
 public:
  virtual ~Service() = default;
  /// Called over and over while a workload runs: waits a moment, and does what has to be done meanwhile.
  virtual void attend();
  /// CPU seconds it has used so far, kernel threads that work for it alone included.
  virtual double cpu_seconds() const { return 0; }
  /// Events it has told, and events it knows to be lost, since it started.
  virtual std::uint64_t events() { return 0; }
  virtual std::uint64_t lost() { return 0; }
  /// Highest resident memory so far, and that of now, KiB; 0 of what is no process of its own.
  virtual std::uint64_t peak_kib() const { return 0; }
  virtual std::uint64_t resident_kib() const { return 0; }
  /// Bytes of an event as it is written; 0 where none are.
  virtual double bytes_per_event() const { return 0; }
  /// Renames that fill the ring which it shares with the kernel at least once; 0 without one.
  virtual std::uint64_t renames_round_ring() const { return 0; }
  /// Waits until it is no longer busy with what was, at most five seconds.
  virtual void settle() {}
};

/// A program of bare.bpf.c, by its name; this process takes what it submits, fifty times a second, and throws
/// it away.
base::Result<std::unique_ptr<Service>> start_bare(const char* program);

/// The daemon, its files in `directory`; it writes events there, or only counts them. `exclusions` entries,
/// none of which ever matches, stand in its managed configuration.
base::Result<std::unique_ptr<Service>> start_sensor(const std::string& directory, bool with_file,
                                                    unsigned exclusions);

/// auditd(8) with configuration and log in `directory`. Rules, audit's being on and its backlog limit are set
/// for as long as it lives. The error says why it must not be done here: audit is in use, or locked.
base::Result<std::unique_ptr<Service>> start_auditd(const std::string& directory);

}  // namespace auditshift::bench
