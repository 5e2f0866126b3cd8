// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "sensor/pipeline.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// What happened most within a span of time. Each list is sorted: highest count first, then by name.
struct Statistics {
  unsigned seconds = 0;
  std::vector<std::pair<std::string, std::uint64_t>> file_paths;
  std::vector<std::pair<std::string, std::uint64_t>> initiator_paths;
  std::vector<std::pair<int, std::uint64_t>> syscall_ids;
  std::uint64_t events = 0;
  std::uint64_t not_counted = 0;  ///< events whose name came after the limit of names was reached
};

/// The layout of `mdatp diagnostic ebpf-statistics`; names are made safe for a terminal.
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

/// Counts names among the events that pass, for Statistics. Memory is bounded by the number of names.
class StatisticsWindow final : public EventObserver {
 public:
  explicit StatisticsWindow(std::size_t name_limit = 100'000) : name_limit_(name_limit) {}

  void observe(const Event& event) override;
  Statistics result(unsigned seconds) const;

 private:
  /// Looks a name up without making a string of it.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Names = std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>>;

  void count(Names& names, std::string_view name, std::uint64_t times);

  std::size_t name_limit_;
  Names paths_;
  Names initiators_;
  std::unordered_map<int, std::uint64_t> syscalls_;
  std::uint64_t events_ = 0;
  std::uint64_t not_counted_ = 0;
};

}  // namespace auditshift::sensor
