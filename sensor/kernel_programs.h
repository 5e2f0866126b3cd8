// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/record.h"
#include "sensor/ebpf_options.h"

struct sensor_bpf;  // the skeleton

namespace auditshift::sensor {

/// The kernel side: loads the programs with their knobs set, attaches them, and answers for them.
/// Everything goes with this object.
class KernelPrograms {
 public:
  /// Loads without attaching. Errors say which program the kernel refused and why.
  static base::Result<KernelPrograms> load(const EbpfOptions& options);

  KernelPrograms(KernelPrograms&&) noexcept;
  KernelPrograms& operator=(KernelPrograms&&) noexcept;
  ~KernelPrograms();

  /// Events come from now on; those of process `own_pid` never do.
  base::Result<void> attach(std::uint32_t own_pid);

  int ring_fd() const;

  /// Per counter (enum as_counter), per CPU.
  using Counters = std::array<std::vector<std::uint64_t>, AS_COUNTERS>;
  base::Result<Counters> counters() const;

  struct ProgramInfo {
    std::string name;
    std::string attach_point;       ///< "tp_btf/sys_exit"
    std::uint64_t missed = 0;       ///< times the kernel did not run it, to keep it from nesting in itself
    std::uint64_t runs = 0;         ///< counted while kernel.bpf_stats_enabled is set
    std::uint64_t run_time_ns = 0;  ///< the same
  };
  std::vector<ProgramInfo> programs() const;

 private:
  struct Destroy {
    void operator()(sensor_bpf* skeleton) const;
  };
  explicit KernelPrograms(sensor_bpf* skeleton);

  std::unique_ptr<sensor_bpf, Destroy> skeleton_;
};

}  // namespace auditshift::sensor
