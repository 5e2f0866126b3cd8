// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace auditshift::base {

/// Wall-clock time, nanoseconds since 1970-01-01 UTC.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Time as the code sees it; tests give their own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  /// Nanoseconds since boot, suspended time included (CLOCK_BOOTTIME, clock_gettime(2)).
  virtual std::chrono::nanoseconds since_boot() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  std::chrono::nanoseconds since_boot() const override;
};

/// How far `other` is ahead of `one`: two functions that read a clock, in nanoseconds. Who is interrupted
/// between two readings would take the pause for a difference, so of several tries the quickest counts.
template <class One, class Other>
std::int64_t clock_difference(One one, Other other) {
  constexpr int kTries = 5;
  std::int64_t difference = 0, quickest = std::numeric_limits<std::int64_t>::max();
  for (int tries = 0; tries < kTries; ++tries) {
    const std::int64_t before = one(), there = other(), taken = one() - before;
    if (taken >= quickest) continue;
    quickest = taken;
    difference = there - (before + taken / 2);
  }
  return difference;
}

/// Stands still until told otherwise.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(WallTime now, std::chrono::nanoseconds since_boot = std::chrono::hours(1))
      : now_(now), since_boot_(since_boot) {}
  WallTime now() const override { return now_; }
  std::chrono::nanoseconds since_boot() const override { return since_boot_; }
  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    since_boot_ += by;
  }

 private:
  WallTime now_;
  std::chrono::nanoseconds since_boot_;
};

/// RFC 3339 in UTC, whole seconds: "2026-11-21T08:00:00Z".
std::string format_utc(WallTime time);
/// The opposite of format_utc; nothing for any other form.
std::optional<WallTime> parse_utc(std::string_view text);
/// "2026-11-21".
std::string format_date(std::chrono::sys_days day);

}  // namespace auditshift::base
