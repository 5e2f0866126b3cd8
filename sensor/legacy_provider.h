// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sysroot.h"
#include "bpf/perf_reader.h"
#include "sensor/ebpf_options.h"
#include "sensor/kernel_side.h"
#include "sensor/legacy_programs.h"
#include "sensor/process_account.h"
#include "sensor/provider.h"
#include "sensor/record_decoder.h"

namespace auditshift::sensor {

/// Events from the kernel's plain tracepoints (tier "legacy"): for kernels without type information, from
/// Linux 4.15. What bpf::Tier::legacy needs, and tracefs mounted.
///
/// The kernel side knows a process by its number alone; who that is comes from /proc and from an account kept
/// by the records (ProcessAccount). So, other than with tier core:
///  - effective, saved and file-system ids, cgroup, container, login id of a process that was not there any
///    more when /proc was asked are those inherited or, after an exec or a change of ids, unknown;
///  - a path by a descriptor is what the descriptor stands for up to drain_interval later, unresolved when
///    the process is gone;
///  - start times are those of /proc, a clock tick exact;
///  - open() that made the file is told as create only with O_EXCL or O_TMPFILE;
///  - of sockets the type, the protocol and the own end are unknown, and of accept() the peer where the
///  caller
///    did not ask for it;
///  - an argument vector is that of the call: more than 24 arguments, or 4096 bytes, are cut unless /proc
///    still has them;
///  - whether a process left a core dump is not told;
///  - exclusions and statistics are the daemon's work, not the kernel's;
///  - nothing outlives this process.
///
/// Losses: drops(). They are told as events of kind `loss` as well.
class LegacyProvider final : public Provider {
 public:
  /// REQUIRES: `host` is the live host; both outlive this. The pin directory of `options` is not used.
  LegacyProvider(EbpfOptions options, const base::Sysroot& host, const base::Clock& clock);
  ~LegacyProvider() override;

  base::Result<void> start() override;
  base::Result<std::size_t> poll(std::chrono::milliseconds timeout, Consumer& consumer) override;
  int descriptor() const override { return reader_ ? reader_->descriptor() : -1; }
  void tell_losses(Consumer& consumer) override;
  void stop() override;
  std::vector<DropCounter> drops() const override;
  KindSet kinds() const override;
  ProviderDescription describe() const override;
  bool has_more() const override { return has_more_; }

 private:
  std::size_t drain(Consumer& consumer);
  const Event* decode(std::span<const std::byte> bytes);
  void follow_clocks();
  std::uint64_t boot_ns() const { return static_cast<std::uint64_t>(clock_.since_boot().count()); }

  EbpfOptions options_;
  const base::Sysroot& host_;
  const base::Clock& clock_;
  std::optional<LegacyPrograms> programs_;
  std::optional<bpf::PerfReader> reader_;
  std::optional<ProcessAccount> account_;
  RawRecord record_;
  RecordDecoder decoder_;
  std::uint32_t own_pid_ = 0;
  std::uint64_t to_boot_ns_ = 0;  ///< to add to CLOCK_MONOTONIC; wraps around
  std::uint64_t malformed_ = 0;
  bool has_more_ = false;
  LossTeller losses_{clock_};
};

}  // namespace auditshift::sensor
