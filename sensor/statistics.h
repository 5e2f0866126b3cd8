// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "sensor/advice.h"
#include "sensor/event_counts.h"
#include "sensor/pipeline.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// CPU time that the events of one program cost.
struct InitiatorCost {
  std::string path;
  std::uint64_t events = 0;
  double kernel_ms = 0;  ///< measured: spent on these events in the kernel side's programs
  double daemon_ms = 0;  ///< estimated: its share, by number of events, of what the daemon used meanwhile
};

/// What happened most within a span of time. Each list is sorted: highest count first, then by name.
struct Statistics {
  unsigned seconds = 0;  ///< that it really took, rounded
  std::vector<std::pair<std::string, std::uint64_t>> file_paths;
  std::vector<std::pair<std::string, std::uint64_t>> initiator_paths;
  std::vector<std::pair<int, std::uint64_t>> syscall_ids;
  std::uint64_t events = 0;
  std::uint64_t not_counted = 0;  ///< names that came after the limit of names was reached, or were too long
  bool in_kernel = false;         ///< counted there, else by the daemon
  std::optional<std::vector<InitiatorCost>> cpu;  ///< where it was asked for; most first
  std::optional<std::vector<Advice>> advice;      ///< where it was asked for
};

Statistics make_statistics(const EventCounts& counts, unsigned seconds);

/// Per initiator, of counts that the kernel took, with the CPU time the daemon used meanwhile.
std::vector<InitiatorCost> cost_of_initiators(const EventCounts& counts, double daemon_ms);

/// The layout of `mdatp diagnostic ebpf-statistics`; names are made safe for a terminal. CPU time and advice,
/// where they were asked for, come behind.
std::string render_statistics_text(const Statistics& statistics, std::size_t top);
base::Json render_statistics_json(const Statistics& statistics, std::size_t top);

/// From render_statistics_json(), for the reader at the other end of a socket. What it does not hold stays
/// empty.
Statistics statistics_from_json(const base::Json& json);

/// Flat counters, one "name : value" per line, as `mdatp diagnostic event-provider-statistics` shows them.
std::string render_counters_text(const std::vector<std::pair<std::string, std::uint64_t>>& counters);

/// All counters of the stream: per kind, kept back, and lost by cause.
std::vector<std::pair<std::string, std::uint64_t>> stream_counters(const PipelineStatistics& pipeline,
                                                                   const std::vector<DropCounter>& drops);

/// Counts names among the events that pass, where the provider does not count at the source. Memory is
/// bounded by the number of names.
class StatisticsWindow final : public EventObserver {
 public:
  explicit StatisticsWindow(std::size_t name_limit = 100'000) : name_limit_(name_limit) {}

  void observe(const Event& event) override;
  const EventCounts& counts() const { return counts_; }

 private:
  std::size_t name_limit_;
  EventCounts counts_;
};

}  // namespace auditshift::sensor
