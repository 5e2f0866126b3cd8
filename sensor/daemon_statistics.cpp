// SPDX-License-Identifier: Apache-2.0
// The request ebpf-statistics {seconds, top, cpu, advice}: counted where the events come from, as long as
// somebody waits for the answer.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sensor/daemon.h"
#include "sensor/daemon_parts.h"

namespace auditshift::sensor {
namespace {

constexpr std::uint64_t kLongestWindow = 3600;
constexpr std::uint64_t kMostNames = 1000;
constexpr std::size_t kWindowsAtOnce = 8;

double own_cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
}

}  // namespace

void Daemon::request_statistics(const base::Json& request, ControlPeer peer) {
  constexpr std::uint64_t kDefaultSeconds = 20;
  constexpr std::uint64_t kDefaultNames = 10;
  const auto seconds = number_member(request, "seconds", kDefaultSeconds, kLongestWindow);
  if (!seconds.ok()) return peer.fail(seconds.error());
  const auto top = number_member(request, "top", kDefaultNames, kMostNames);
  if (!top.ok()) return peer.fail(top.error());
  if (statistics_.size() >= kWindowsAtOnce)
    return peer.fail(base::Error(base::Errc::busy, "too many statistics are being taken already"));
  const auto counting = chooser_->count_at_source(true);
  if (!counting.ok()) return peer.fail(counting.error());
  StatisticsRequest window(std::move(peer));
  window.at_source = *counting;
  window.provider_generation = provider_generation_;
  if (window.at_source) {
    auto before = chooser_->source_counts();
    if (!before.ok()) {
      if (statistics_.empty()) (void)chooser_->count_at_source(false).ok();
      return window.peer.fail(before.error());
    }
    window.before = *std::move(before);
  } else {
    window.window = std::make_unique<StatisticsWindow>();
    pipeline_.set_observer(observer_.get());
  }
  window.cpu = flag_member(request, "cpu");
  window.advice = flag_member(request, "advice");
  window.top = *top;
  window.cpu_ms_before = own_cpu_ms();
  window.begun = clock_.since_boot();
  window.deadline = window.begun + std::chrono::seconds(*seconds);
  statistics_.push_back(std::move(window));
}

void Daemon::answer_statistics(StatisticsRequest& request) {
  const std::chrono::duration<double> took = clock_.since_boot() - request.begun;
  EventCounts counts;
  if (request.at_source) {
    if (provider_generation_ != request.provider_generation)
      return request.peer.fail(base::Error(base::Errc::interrupted, "the event provider changed meanwhile"));
    auto now = chooser_->source_counts();
    if (!now.ok()) return request.peer.fail(now.error());
    counts = *std::move(now);
    counts.subtract(request.before);
  } else {
    counts = request.window->counts();
  }
  Statistics result = make_statistics(counts, static_cast<unsigned>(std::lround(took.count())));
  result.in_kernel = request.at_source;
  if (request.cpu) result.cpu = cost_of_initiators(counts, own_cpu_ms() - request.cpu_ms_before);
  if (request.advice) result.advice = advise(counts, request.top);
  request.peer.reply(render_statistics_json(result, request.top));
}

void Daemon::finish_statistics() {
  const auto now = clock_.since_boot();
  for (auto request = statistics_.begin(); request != statistics_.end();) {
    if (now < request->deadline) {
      ++request;
      continue;
    }
    answer_statistics(*request);
    request = statistics_.erase(request);
    if (statistics_.empty()) {
      pipeline_.set_observer(nullptr);
      (void)chooser_->count_at_source(false).ok();
    }
  }
}

}  // namespace auditshift::sensor
