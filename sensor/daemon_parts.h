// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>

#include "sensor/daemon.h"

namespace auditshift::sensor {

/// Name of the setting in health, in the request `config` and in the state file.
inline constexpr const char* kEbpfSetting = "ebpf_supplementary_event_provider";

/// A text of a request, empty when it is missing or none; and likewise whether something is true.
std::string text_member(const base::Json& request, const char* key);
bool flag_member(const base::Json& request, const char* key);

/// A number of a request between 1 and `most`, or the fallback when it is missing.
base::Result<std::uint64_t> number_member(const base::Json& request, const char* key, std::uint64_t fallback,
                                          std::uint64_t most);

/// Passes events on, but for those of test processes of the daemon's own, whose coming shows that events flow
/// and which are nobody else's business.
class Daemon::FlowCheck final : public Consumer {
 public:
  explicit FlowCheck(Consumer& next) : next_(next) {}

  /// One more: on a busy host the first may still be far back in the provider's buffer.
  void expect(std::uint32_t pid) { pids_.insert(pid); }
  bool seen() const { return seen_; }

  void consume(const Event& event) override {
    if (!pids_.empty() && (pids_.contains(event.process.id.pid) || pids_.contains(event.target.pid))) {
      seen_ = true;
      if (event.kind == EventKind::exit) pids_.erase(event.process.id.pid);  // the number may come again
      return;
    }
    next_.consume(event);
  }
  void end_of_batch() override { next_.end_of_batch(); }
  bool wants_details() const override { return next_.wants_details(); }

 private:
  Consumer& next_;
  std::set<std::uint32_t> pids_;
  bool seen_ = false;
};

class Daemon::WindowObserver final : public EventObserver {
 public:
  explicit WindowObserver(std::list<StatisticsRequest>& requests) : requests_(requests) {}
  void observe(const Event& event) override {
    for (StatisticsRequest& request : requests_) {
      if (request.window) request.window->observe(event);
    }
  }
  bool observes() const override {
    return std::any_of(requests_.begin(), requests_.end(),
                       [](const StatisticsRequest& request) { return request.window != nullptr; });
  }

 private:
  std::list<StatisticsRequest>& requests_;
};

}  // namespace auditshift::sensor
