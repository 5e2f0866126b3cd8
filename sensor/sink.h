// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sensor/event.h"

namespace auditshift::sensor {

/// What an output has done so far.
struct SinkStatus {
  std::string name;           ///< "file /var/log/…", "stdout", "readers"
  std::uint64_t records = 0;  ///< written
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;  ///< records that could not be written
  std::string error;       ///< what keeps it from doing its work now; empty when all is well
};

/// Makes the line of a loss record in the sink's own format, for sinks that lose records by themselves.
using LossLine = std::function<void(std::string& out, const Loss& loss)>;

/// Where lines go.
class Sink {
 public:
  virtual ~Sink() = default;
  /// One batch of `records` whole lines. Never throws away silently: what cannot be written is counted, and a
  /// loss record stands in the output where it goes on.
  virtual void write(std::string_view lines, std::uint64_t records) = 0;
  /// False when nobody would see what is written now, so that formatting can be spared.
  virtual bool wanted() const { return true; }
  virtual SinkStatus status() const = 0;
};

}  // namespace auditshift::sensor
