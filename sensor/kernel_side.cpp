// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_side.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace auditshift::sensor {
namespace {

constexpr std::chrono::milliseconds kLossInterval{250};

}  // namespace

std::uint64_t sum(std::span<const std::uint64_t> values) {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

Counters counters_of(const volatile as_cpu_counts* counts, std::size_t cpus) {
  Counters counters;
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    for (std::size_t counter = 0; counter < AS_COUNTERS; ++counter)
      counters[counter].push_back(counts[cpu].counts[counter]);
  }
  return counters;
}

std::int64_t wall_offset(const base::Clock& clock) {
  return base::clock_difference([&] { return clock.since_boot().count(); },
                                [&] { return clock.now().time_since_epoch().count(); });
}

KindSet supplied_kinds(const EbpfOptions& options) {
  const KindSet possible = EbpfOptions::possible_kinds();
  KindSet supplied;
  for (const EventKind kind : all_kinds()) {
    if (options.kinds.contains(kind) && possible.contains(kind)) supplied.insert(kind);
  }
  return supplied;
}

void LossTeller::start(std::vector<std::uint64_t> told, std::chrono::nanoseconds since) {
  told_ = std::move(told);
  told_at_ = since;
}

bool LossTeller::due() const { return clock_.since_boot() - told_at_ >= kLossInterval; }

bool LossTeller::tell(std::span<const DropCounter> drops, Consumer& consumer) {
  const auto now = clock_.since_boot();
  bool any = false;
  for (std::size_t i = 0; i < drops.size(); ++i) {
    const std::uint64_t lost = drops[i].count - std::min(drops[i].count, told_[i]);
    if (lost == 0) continue;
    told_[i] = drops[i].count;
    Event event;
    event.kind = EventKind::loss;
    event.boot_ns = static_cast<std::uint64_t>(now.count());
    event.wall_ns = clock_.now().time_since_epoch().count();
    event.loss = {drops[i].cause, lost, static_cast<std::uint64_t>(told_at_.count()),
                  static_cast<std::uint64_t>(now.count())};
    consumer.consume(event);
    any = true;
  }
  told_at_ = now;
  if (any) consumer.end_of_batch();
  return any;
}

}  // namespace auditshift::sensor
