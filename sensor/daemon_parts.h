// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Passes events on, but for those of one process: a test process of the daemon's own, whose coming shows
/// that events flow and which is nobody else's business.
class Daemon::FlowCheck final : public Consumer {
 public:
  explicit FlowCheck(Consumer& next) : next_(next) {}

  void expect(std::uint32_t pid) {
    pid_ = pid;
    seen_ = false;
  }
  bool seen() const { return seen_; }

  void consume(const Event& event) override {
    if (pid_ != 0 && (event.process.id.pid == pid_ || event.target.pid == pid_)) {
      seen_ = true;
      if (event.kind == EventKind::exit) pid_ = 0;  // the number may come again
      return;
    }
    next_.consume(event);
  }
  void end_of_batch() override { next_.end_of_batch(); }

 private:
  Consumer& next_;
  std::uint32_t pid_ = 0;
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

 private:
  std::list<StatisticsRequest>& requests_;
};

}  // namespace auditshift::sensor
