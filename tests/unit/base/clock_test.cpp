// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace auditshift::base {
namespace {

using namespace std::chrono_literals;

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(FormatUtc, IsRfc3339WithWholeSeconds) {
  EXPECT_EQ(format_utc(at(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(at(951'782'399)), "2000-02-28T23:59:59Z");
  EXPECT_EQ(format_utc(at(951'782'400)), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_utc(at(1'795'248'000) + 999'999'999ns), "2026-11-21T08:00:00Z");
  EXPECT_EQ(format_utc(at(-1)), "1969-12-31T23:59:59Z");
}

TEST(FormatDate, IsTheIsoDate) {
  EXPECT_EQ(format_date(std::chrono::sys_days(std::chrono::days(20'778))), "2026-11-21");
}

TEST(ClockDifference, APauseBetweenTwoReadingsIsNoDifference) {
  std::int64_t time = 0;
  int readings = 0;
  const auto one = [&] { return time += 10; };
  const auto other = [&] {
    if (++readings != 3) time += 2'000'000;  // somebody else has the CPU
    return (time += 10) + 5000;
  };
  EXPECT_EQ(clock_difference(one, other), 5000);
}

TEST(FixedClock, MovesBothTimesTogether) {
  FixedClock clock(at(1000), 5s);
  clock.advance(1500ms);
  EXPECT_EQ(clock.now(), at(1001) + 500ms);
  EXPECT_EQ(clock.since_boot(), 6500ms);
}

TEST(SystemClock, GoesForward) {
  const SystemClock clock;
  const auto boot = clock.since_boot();
  const WallTime now = clock.now();
  EXPECT_GT(boot, 0ns);
  EXPECT_GE(clock.since_boot(), boot);
  EXPECT_GT(now, at(1'700'000'000));
}

TEST(ParseUtc, TakesWhatNanosecondsCanHold) {
  EXPECT_TRUE(parse_utc("1970-01-01T00:00:00Z"));
  EXPECT_TRUE(parse_utc("2261-12-31T23:59:59Z"));
  EXPECT_FALSE(parse_utc("1969-12-31T23:59:59Z"));
  EXPECT_FALSE(parse_utc("4052-11-21T08:00:00Z"));
}

}  // namespace
}  // namespace auditshift::base
