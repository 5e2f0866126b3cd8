// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/fd.h"
#include "base/result.h"

namespace auditshift::sensor {

/// When each process started, CLOCK_BOOTTIME nanoseconds by pid of the initial namespace.
using StartTimes = std::unordered_map<std::uint32_t, std::uint64_t>;

/// Lists them for all processes that run, as exactly as the kernel knows them and its events tell them; /proc
/// rounds down to a clock tick.
class StartTimeList {
 public:
  /// Loads a program, which takes some 10 MiB of memory for a moment, as the kernel's type information is
  /// read: best done before the events' buffer takes its own. Takes CAP_BPF and CAP_PERFMON, and Linux 5.8
  /// with BTF; the error says what is missing.
  static base::Result<StartTimeList> open();
  /// What runs now.
  base::Result<StartTimes> read() const;

 private:
  base::Fd link_;
};

}  // namespace auditshift::sensor
