// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "sensor/format.h"
#include "sensor/provider.h"

namespace auditshift::sensor {

/// Keeps events as raw JSON documents, which outlive the provider's buffers.
class Collector final : public Consumer {
 public:
  void consume(const Event& event) override {
    line_.clear();
    formatter_.append(line_, event, "test", ++count_);
    events.push_back(base::Json::parse(line_.view()));
  }
  void end_of_batch() override { ++batches; }

  std::vector<base::Json> events;
  std::size_t batches = 0;

  /// Polls until an event satisfies `wanted`, at most five seconds; null when none came.
  base::Json wait_for(Provider& provider, const std::function<bool(const base::Json&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::size_t seen = 0;
    do {
      for (; seen < events.size(); ++seen) {
        if (wanted(events[seen])) return events[seen];
      }
      const auto polled = provider.poll(std::chrono::milliseconds(50), *this);
      EXPECT_TRUE(polled.ok()) << polled.error().message();
      if (!polled.ok()) break;
    } while (std::chrono::steady_clock::now() < deadline);
    for (; seen < events.size(); ++seen) {
      if (wanted(events[seen])) return events[seen];
    }
    return nullptr;
  }

 private:
  Formatter formatter_{Format::raw, {}};
  TextBuffer line_;
  std::uint64_t count_ = 0;
};

inline bool is_event(const base::Json& event, const char* kind, long pid) {
  return event["kind"] == kind && event["process"].value("pid", 0L) == pid;
}

}  // namespace auditshift::sensor
