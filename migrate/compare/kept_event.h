// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "sensor/event.h"

namespace auditshift::migrate::compare {

/// An event that outlives the provider's buffers, with what a comparison asks for: the working directory, the
/// argument vector and the container are left out.
class KeptEvent {
 public:
  explicit KeptEvent(const sensor::Event& event);

  const sensor::Event& operator*() const { return event_; }
  const sensor::Event* operator->() const { return &event_; }

 private:
  sensor::Event event_;
  std::unique_ptr<char[]> texts_;  ///< what the event's views point into; moves with it
};

}  // namespace auditshift::migrate::compare
