// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <string_view>

#include "sensor/audit_record.h"

namespace auditshift::sensor {

/// Puts the records of the audit stream together to events again. Records of different events interleave; the
/// last one of an event made by a system call is EOE, which alone tells that it is whole.
///
/// Memory is bounded: the oldest event is given up when too many are open, one with too many records is cut.
class AuditAssembler {
 public:
  using Handler = std::function<void(const AuditEvent&)>;

  explicit AuditAssembler(Handler handler) : handler_(std::move(handler)) {}

  /// One record, with its stamp. False when the stamp is missing.
  bool add(std::uint16_t type, std::string_view text, std::chrono::nanoseconds now);
  /// Gives up events whose end has not come for two seconds.
  void expire(std::chrono::nanoseconds now);
  /// Gives up all.
  void flush();

  /// Events that were given up, and records cut from events.
  std::uint64_t incomplete() const { return incomplete_; }
  std::uint64_t cut() const { return cut_; }

 private:
  struct Open {
    AuditEvent event;
    std::chrono::nanoseconds began;
  };

  void give_up_oldest();

  Handler handler_;
  std::list<Open> open_;  ///< the oldest first
  std::uint64_t incomplete_ = 0;
  std::uint64_t cut_ = 0;
};

}  // namespace auditshift::sensor
