// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/result.h"

namespace auditshift::sensor {

/// When each process started, CLOCK_BOOTTIME nanoseconds by pid of the initial namespace.
using StartTimes = std::unordered_map<std::uint32_t, std::uint64_t>;

/// Of all processes that run, as exactly as the kernel knows it and its events tell it; /proc rounds down to
/// a clock tick. Takes CAP_BPF and CAP_PERFMON, and Linux 5.8 with BTF; the error says what is missing.
base::Result<StartTimes> read_start_times();

}  // namespace auditshift::sensor
