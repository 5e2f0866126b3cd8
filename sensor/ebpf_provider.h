// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "bpf/ring_reader.h"
#include "sensor/container.h"
#include "sensor/ebpf_options.h"
#include "sensor/kernel_programs.h"
#include "sensor/kernel_side.h"
#include "sensor/provider.h"
#include "sensor/record_decoder.h"

namespace auditshift::sensor {

/// Events from the kernel's BTF tracepoints (tier "core"), or from its functions as they return where those
/// are hooked instead of the exit of every system call (tier "fentry"). Needs what bpf::Tier::core needs,
/// Linux 5.11, or bpf::Tier::fentry.
///
/// Both tell the same events, but for system calls that are refused before a function carries them out, by
/// seccomp or a tracer: those only tier core sees.
///
/// start() takes CAP_BPF and CAP_PERFMON (or root); afterwards CAP_BPF is enough. Container ids take
/// CAP_DAC_READ_SEARCH as well.
///
/// Operations that a process hands to io_uring are no system calls and are not seen; what they work on was
/// opened or connected by calls that are, unless io_uring did that too.
///
/// Losses appear in the stream as events of kind `loss` and in drops().
///
/// With a pin directory the kernel side outlives this process when it dies: the next one adopts it and goes
/// on reading where this one ended. The records of the last batch may then come twice, none is missing as
/// long as the ring held them, and if it did not, a loss event says so. With other options than the dead
/// process had, new programs take the place of the old ones once they run, and what the old ring holds comes
/// first, with the losses that the dead process had not told. What a sensor of another version left cannot be
/// read: a loss event says since when events may be missing. REQUIRES: one process at a time uses a pin
/// directory.
class EbpfProvider final : public Provider {
 public:
  /// REQUIRES: `clock` outlives this; tier fentry or core.
  EbpfProvider(EbpfOptions options, const base::Clock& clock, bpf::Tier tier = bpf::Tier::core);
  ~EbpfProvider() override;

  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return epoll_.get(); }
  void tell_losses(Consumer& consumer) override;
  void stop() override;
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override;
  ProviderDescription describe() const override;

  base::Result<void> exclude(std::span<const Exclusion> entries) override;

  base::Result<bool> count_at_source(bool on) override;
  base::Result<EventCounts> source_counts() const override;
  bool has_more() const override { return has_more_; }

  /// See KernelPrograms::set_exclusions. REQUIRES: started.
  base::Result<void> set_exclusions(std::span<const KernelExclusion> exclusions);

  /// Events that an exclusion kept back and those of the sensor itself, which were seen and left out on
  /// purpose.
  std::uint64_t excluded() const;

 private:
  base::Result<void> obtain_programs();
  /// What a dead process left and this one can read.
  std::optional<KernelPrograms> find_programs();
  /// Takes from programs that are about to end what they hold.
  void take_over_from(const KernelPrograms& former);
  void tell_former_losses(Consumer& consumer);
  std::size_t drain(Consumer& consumer);
  std::size_t read_ring(bpf::RingReader& ring, Consumer& consumer);

  EbpfOptions options_;
  const base::Clock& clock_;
  bpf::Tier tier_;
  std::optional<KernelPrograms> programs_;
  bool adopted_ = false;
  bpf::RingReader ring_;
  // Of the programs that ours took the place of: what they hold, and what nobody was told that they lost.
  std::optional<bpf::RingReader> retired_;
  std::vector<DropCounter> former_drops_;
  base::Fd epoll_;
  RecordDecoder decoder_;
  ContainerTable containers_;
  std::uint64_t malformed_ = 0;
  bool has_more_ = false;
  LossTeller losses_{clock_};
  LossTeller former_losses_{clock_};
};

}  // namespace auditshift::sensor
