// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace auditshift::sensor {

/// A tracepoint, and the program for it by its name in the object file (bpf/sensor.bpf.c).
struct Tracepoint {
  std::string_view program;
  std::string_view group;
  std::string_view name;
};

inline constexpr Tracepoint kTracepoints[] = {{"on_exec", "sched", "sched_process_exec"},
                                              {"on_fork", "sched", "sched_process_fork"},
                                              {"on_exit", "sched", "sched_process_exit"},
                                              {"on_sys_exit", "raw_syscalls", "sys_exit"}};

/// A perf event of a tracepoint, not enabled. Errors: tracefs is not mounted or may not be read; not allowed
/// (kernel.perf_event_paranoid; where that is 3, Debian's kernels ask for CAP_SYS_ADMIN).
base::Result<base::Fd> open_event(const Tracepoint& tracepoint);

/// Where a program is attached: "tp_btf/sys_exit", "tracepoint/raw_syscalls/sys_exit" or
/// "fexit/__x64_sys_rename". `program` is its name in the object file, or the function that it is hooked to;
/// `type` is that of bpf_prog_info.
std::string attach_point(std::string_view program, std::uint32_t type);

/// Attaches a loaded program to where it belongs. The link; the program runs until it is closed and no pin is
/// left. Errors: no such tracepoint, tracefs not mounted, not allowed.
base::Result<base::Fd> attach_program(const base::Fd& program, std::string_view name);

}  // namespace auditshift::sensor
