// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "bpf/ring_reader.h"
#include "sensor/ebpf_options.h"
#include "sensor/kernel_programs.h"
#include "sensor/provider.h"
#include "sensor/record_decoder.h"

namespace auditshift::sensor {

/// Events from the kernel's BTF tracepoints (tier "core"): needs what bpf::Tier::core needs, Linux 5.11.
///
/// Losses appear in the stream as events of kind `loss` and in drops().
class EbpfProvider final : public Provider {
 public:
  /// REQUIRES: `clock` outlives this.
  EbpfProvider(EbpfOptions options, const base::Clock& clock);
  ~EbpfProvider() override;

  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return epoll_.get(); }
  void stop() override;
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override { return options_.kinds; }
  ProviderDescription describe() const override;

  /// Events of excluded processes and of the sensor itself, which were seen and left out on purpose.
  std::uint64_t excluded() const;

 private:
  std::size_t drain(Consumer& consumer);
  void report_losses(Consumer& consumer);
  void follow_wall_clock();

  EbpfOptions options_;
  const base::Clock& clock_;
  std::optional<KernelPrograms> programs_;
  bpf::RingReader ring_;
  base::Fd epoll_;
  RecordDecoder decoder_;
  std::uint64_t malformed_ = 0;
  std::vector<std::uint64_t> reported_;  ///< per cause of drops(), what loss events have told
  std::chrono::nanoseconds reported_at_{0};
};

}  // namespace auditshift::sensor
