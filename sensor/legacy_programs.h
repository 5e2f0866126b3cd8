// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sysroot.h"
#include "bpf/map_memory.h"
#include "sensor/ebpf_options.h"
#include "sensor/kernel_side.h"

namespace auditshift::sensor {

/// The kernel side of tier legacy: plain tracepoints and a perf event array. It ends with this object.
class LegacyPrograms {
 public:
  /// Loads with the knobs set, without attaching; finds out first what the kernel's layout is. REQUIRES:
  /// `host` is the live host. Errors say why the kernel refused, or that tracefs is missing.
  static base::Result<LegacyPrograms> load(const EbpfOptions& options, const base::Sysroot& host);

  LegacyPrograms(LegacyPrograms&&) noexcept;
  LegacyPrograms& operator=(LegacyPrograms&&) noexcept;
  ~LegacyPrograms();

  /// Events come from now on.
  base::Result<void> attach();

  /// The perf event array that records go to.
  int records_fd() const;

  /// An error where this process may not ask any more (kernels before 5.5, once CAP_SYS_ADMIN was given up).
  base::Result<Counters> counters() const;

  struct ProgramInfo {
    std::string name;
    std::string tracepoint;         ///< "sched/sched_process_exec"
    std::uint64_t missed = 0;       ///< times the kernel did not run it, where it counts that
    std::uint64_t runs = 0;         ///< counted while kernel.bpf_stats_enabled is set
    std::uint64_t run_time_ns = 0;  ///< the same
  };
  std::vector<ProgramInfo> programs() const;

  /// How 32-bit calls are told from others, for people.
  const std::string& compat_calls() const { return compat_calls_; }

 private:
  struct Skeleton;
  LegacyPrograms();
  base::Result<void> set_knobs(const EbpfOptions& options, const base::Sysroot& host);
  base::Result<void> fill_tables(const EbpfOptions& options);
  base::Result<void> load_object();

  std::unique_ptr<Skeleton> skeleton_;
  std::size_t cpus_ = 0;                           ///< possible ones
  std::optional<bpf::MapMemory> counters_memory_;  ///< where the kernel can share it
  std::string compat_calls_;
};

}  // namespace auditshift::sensor
