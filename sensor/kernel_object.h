// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/probe.h"
#include "sensor/ebpf_options.h"

struct bpf_object;
struct bpf_program;

namespace auditshift::sensor {

/// The object file of tiers fentry and core (bpf/sensor.bpf.c), of its builds the one for this kernel: on
/// its way into the kernel. KernelPrograms keeps what comes of it.
class KernelObject {
 public:
  /// With the knobs set, not loaded; for tier fentry prepare_call_handlers() is left to do. REQUIRES: tier
  /// fentry or core.
  static base::Result<KernelObject> open(const EbpfOptions& options, bpf::Tier tier);

  /// Tells apart programs and knobs: equal for equal options and tiers of the same build on the same kernel.
  std::uint64_t fingerprint() const { return fingerprint_; }

  /// Loads maps and programs. The error says why the kernel refused.
  base::Result<void> load();

  bpf_program* program(const char* name) const;
  /// A descriptor of one's own; invalid, with errno set, when it is not there or not loaded.
  base::Fd map_fd(const char* name) const;
  base::Fd program_fd(const char* name) const;

 private:
  struct Close {
    void operator()(bpf_object* object) const;
  };

  KernelObject() = default;
  base::Result<void> set_knobs(const EbpfOptions& options);

  std::unique_ptr<bpf_object, Close> object_;
  std::uint64_t fingerprint_ = 0;
};

/// What the kernel said to programs, with what helps.
base::Error load_error(int number);

}  // namespace auditshift::sensor
