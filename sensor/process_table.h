// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "sensor/event.h"
#include "sensor/proc_connector.h"
#include "sensor/proc_info.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// Clocks that go with the process connector's: add to its time to get boot time and wall-clock time.
struct ClockOffsets {
  std::int64_t to_boot_ns = 0;
  std::int64_t to_wall_ns = 0;
};

/// What is known of the processes there are, kept up to date by the process connector's messages; turns these
/// into events. It grows and shrinks with the number of processes.
///
/// The connector tells of threads, not of processes: a process is gone when its leader and all other threads
/// are. Who was the leader may change by an exec.
class ProcessTable {
 public:
  /// `threads`: also report new threads.
  ProcessTable(ProcReader reader, bool threads) : reader_(std::move(reader)), report_threads_(threads) {}

  /// Hands the events that follow from one message to the consumer: one, or none.
  void apply(const ProcMessage& message, const ClockOffsets& clocks, Consumer& consumer);

  /// Compares the table with /proc. Processes that are new to it, or run another program than it knows, are
  /// reported as running; processes that are gone as exited without a code. At the start all are new.
  void synchronise(std::uint64_t boot_ns, std::int64_t wall_ns, Consumer& consumer);

  std::size_t size() const { return processes_.size(); }

 private:
  struct Entry {
    ProcessInfo info;
    std::uint32_t other_threads = 0;  ///< beside the leader
    bool leader_gone = false;
  };

  /// Known, or read from /proc now; an entry of just the pid when it is gone already.
  Entry& entry_of(std::uint32_t pid);
  Event begin(EventKind kind, const Entry& entry, const ProcMessage& message) const;
  void fork(const ProcMessage& message, Consumer& consumer);
  void exec(const ProcMessage& message, Consumer& consumer);
  void exit(const ProcMessage& message, Consumer& consumer);
  void change_ids(const ProcMessage& message, Consumer& consumer);
  void ptrace(const ProcMessage& message, Consumer& consumer);

  ProcReader reader_;
  bool report_threads_;
  ClockOffsets clocks_;
  std::unordered_map<std::uint32_t, Entry> processes_;
};

}  // namespace auditshift::sensor
