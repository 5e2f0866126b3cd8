// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace auditshift::migrate::change {

/// What holding audit against the sensor came to.
struct Compared {
  bool missed = false;  ///< the sensor missed something that it covers
  bool proven = false;  ///< neither side lost events meanwhile
  std::string text;     ///< the outcome in a sentence
  /// For the journal and the outcome: `comparison` of docs/schema/outcome.schema.json, a few kilobytes at
  /// most.
  base::Json summary;
};

/// Holds what audit rules record against what the sensor tells, on what the host does meanwhile
/// (docs/compare.md). Changes nothing.
class LiveComparison {
 public:
  virtual ~LiveComparison() = default;
  /// Errc::interrupted: a signal ended it early.
  virtual base::Result<Compared> compare(std::chrono::seconds time) = 0;
};

}  // namespace auditshift::migrate::change
