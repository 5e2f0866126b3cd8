// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "bpf/record.h"
#include "sensor/ebpf_options.h"
#include "sensor/provider.h"

/// What the providers of all kernel sides of ebpf have in common.
namespace auditshift::sensor {

/// After so many records a batch ends, be there more or not, and only then their space goes back to the
/// kernel: what the consumer still holds when it dies is there for the one that comes after it.
inline constexpr std::size_t kBatch = 192;
/// One poll's share of the caller's time.
inline constexpr std::chrono::milliseconds kPollBudget{50};

std::uint64_t sum(std::span<const std::uint64_t> values);

/// What the programs count: per counter (enum as_counter), per possible CPU.
using Counters = std::array<std::vector<std::uint64_t>, AS_COUNTERS>;
/// Of `cpus` CPUs, from memory that the programs may be writing to.
Counters counters_of(const volatile as_cpu_counts* counts, std::size_t cpus);

/// To add to a time since boot for that since 1970 UTC, as the clock is set now. In nanoseconds.
std::int64_t wall_offset(const base::Clock& clock);

/// The kinds that are asked for, as far as programs can supply them.
KindSet supplied_kinds(const EbpfOptions& options);

/// The losses of a provider as events in its stream, at most four times a second.
class LossTeller {
 public:
  /// REQUIRES: `clock` outlives this.
  explicit LossTeller(const base::Clock& clock) : clock_(clock) {}

  /// Begins. `told`: per cause of Provider::drops(), what is known already, as of `since`, a time since boot.
  void start(std::vector<std::uint64_t> told, std::chrono::nanoseconds since);

  /// Whether it is time to look at the counters again.
  bool due() const;

  /// Hands over one event per cause that has counted more than was told, all in one batch. True if there was
  /// any. REQUIRES: `drops` has the causes, in the order of start().
  bool tell(std::span<const DropCounter> drops, Consumer& consumer);

  /// Per cause, what has been told.
  const std::vector<std::uint64_t>& told() const { return told_; }

  /// When the counters were last looked at, or `since`. Since boot.
  std::chrono::nanoseconds told_at() const { return told_at_; }

 private:
  const base::Clock& clock_;
  std::vector<std::uint64_t> told_;
  std::chrono::nanoseconds told_at_{0};
};

}  // namespace auditshift::sensor
