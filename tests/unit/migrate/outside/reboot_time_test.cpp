// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/reboot_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace auditshift::migrate::outside {
namespace {

// Zones as rules of POSIX, so that no database is needed.
constexpr const char* kUtc = "UTC0";
constexpr const char* kBerlin =
    "CET-1CEST,M3.5.0,M10.5.0/3";  // 2026: 29 March 02:00→03:00, 25 October 03:00→02:00
constexpr const char* kNewYork =
    "EST5EDT,M3.2.0,M11.1.0";  // 2026: 8 March 02:00→03:00, 1 November 02:00→01:00
constexpr const char* kHavana = "CST5CDT,M3.2.0/0,M11.1.0/1";              // 2026: 8 March 00:00→01:00
constexpr const char* kLordHowe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";  // half an hour
constexpr const char* kKolkata = "IST-5:30";

Zone zone_of(const std::string& rule) {
  return [rule](std::chrono::sys_seconds at) {
    ::setenv("TZ", rule.c_str(), 1);
    const auto offset = host_zone()(at);
    ::unsetenv("TZ");
    ::tzset();
    return offset;
  };
}

struct Case {
  const char* zone;
  const char* text;
  const char* now;    ///< UTC
  const char* at;     ///< UTC
  const char* until;  ///< UTC, empty for none
};

const Case kCases[] = {
    {kUtc, "now", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", ""},
    {kUtc, "NOW", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", ""},
    {kUtc, "+0", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", ""},
    {kUtc, "+90", "2026-11-21T23:00:00Z", "2026-11-22T00:30:00Z", ""},
    // A time of day: today's or tomorrow's.
    {kUtc, "11:00", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", ""},
    {kUtc, "10:00", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z", ""},
    {kUtc, "9:59", "2026-11-21T10:00:00Z", "2026-11-22T09:59:00Z", ""},
    {kBerlin, "11:30", "2026-11-21T10:00:00Z", "2026-11-21T10:30:00Z", ""},
    {kKolkata, "02:00", "2026-11-21T21:00:00Z", "2026-11-22T20:30:00Z", ""},
    {kNewYork, "23:30", "2026-11-22T04:00:00Z", "2026-11-22T04:30:00Z", ""},
    {kUtc, "Sat 12:00", "2026-11-21T13:00:00Z", "2026-11-28T12:00:00Z", ""},
    // Windows: 2026-11-21 is a Saturday.
    {kUtc, "Sat 02:00-04:00", "2026-11-18T10:00:00Z", "2026-11-21T02:00:00Z", "2026-11-21T04:00:00Z"},
    {kUtc, "Sat 02:00-04:00", "2026-11-21T03:15:00Z", "2026-11-21T03:15:00Z", "2026-11-21T04:00:00Z"},
    {kUtc, "Sat 02:00-04:00", "2026-11-21T04:00:00Z", "2026-11-28T02:00:00Z", "2026-11-28T04:00:00Z"},
    {kUtc, "saturday, SUN 02:00-04:00", "2026-11-21T04:00:00Z", "2026-11-22T02:00:00Z",
     "2026-11-22T04:00:00Z"},
    {kUtc, "02:00-04:00", "2026-11-21T10:00:00Z", "2026-11-22T02:00:00Z", "2026-11-22T04:00:00Z"},
    {kUtc, "22:00-24:00", "2026-11-21T10:00:00Z", "2026-11-21T22:00:00Z", "2026-11-22T00:00:00Z"},
    // Past midnight: the day is that of the beginning.
    {kUtc, "Sat,Sun 22:00-02:00", "2026-11-21T23:00:00Z", "2026-11-21T23:00:00Z", "2026-11-22T02:00:00Z"},
    {kUtc, "Sat,Sun 22:00-02:00", "2026-11-23T01:00:00Z", "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"},
    {kUtc, "Sat 22:00-02:00", "2026-11-21T01:00:00Z", "2026-11-21T22:00:00Z", "2026-11-22T02:00:00Z"},
    {kUtc, "22:00-02:00", "2026-11-21T01:59:59Z", "2026-11-21T01:59:59Z", "2026-11-21T02:00:00Z"},
    // Clocks put forward in Berlin: 02:30 of 29 March means 03:00; a window within the gap does not happen.
    {kBerlin, "02:30", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z", ""},
    {kBerlin, "Sun 02:00-04:00", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
    {kBerlin, "Sun 02:10-02:50", "2026-03-28T20:00:00Z", "2026-04-05T00:10:00Z", "2026-04-05T00:50:00Z"},
    {kBerlin, "Sun 01:30-02:30", "2026-03-28T20:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
    // Clocks put back in Berlin: 02:30 of 25 October comes at 00:30 and at 01:30 UTC.
    {kBerlin, "02:30", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z", ""},
    {kBerlin, "02:30", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z", ""},
    {kBerlin, "02:30", "2026-10-25T01:45:00Z", "2026-10-26T01:30:00Z", ""},
    {kBerlin, "Sun 02:00-03:00", "2026-10-24T20:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
    {kBerlin, "Sun 01:30-02:30", "2026-10-25T01:15:00Z", "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z"},
    {kBerlin, "Sat 22:00-02:30", "2026-10-24T18:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T01:30:00Z"},
    {kNewYork, "Sun 02:00-02:30", "2026-03-08T05:00:00Z", "2026-03-15T06:00:00Z", "2026-03-15T06:30:00Z"},
    {kNewYork, "01:30", "2026-11-01T05:45:00Z", "2026-11-01T06:30:00Z", ""},
    // A gap at midnight: the day begins at one.
    {kHavana, "Sun 00:00-02:00", "2026-03-08T04:00:00Z", "2026-03-08T05:00:00Z", "2026-03-08T06:00:00Z"},
    {kHavana, "23:00-00:30", "2026-03-08T03:00:00Z", "2026-03-08T04:00:00Z", "2026-03-08T05:00:00Z"},
    // Clocks put back by half an hour: 01:45 comes at 14:45 and at 15:15 UTC.
    {kLordHowe, "01:45", "2026-04-04T14:00:00Z", "2026-04-04T14:45:00Z", ""},
    {kLordHowe, "01:45", "2026-04-04T15:00:00Z", "2026-04-04T15:15:00Z", ""},
};

TEST(RebootTime, FollowsTheTable) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(std::string(test.text) + " at " + test.now + " in " + test.zone);
    const auto found = reboot_time(test.text, *base::parse_utc(test.now), zone_of(test.zone));
    ASSERT_TRUE(found.ok()) << found.error().message();
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ(base::format_utc((*found)->at), test.at);
    EXPECT_EQ((*found)->until ? base::format_utc(*(*found)->until) : "", test.until);
  }
}

TEST(RebootTime, NeverIsNoTime) {
  EXPECT_EQ(reboot_time(" never ", base::WallTime{}, zone_of(kUtc)).value().has_value(), false);
}

TEST(RebootTime, RefusesEverythingElseAndNamesTheForms) {
  for (const char* text : {"",
                           "later",
                           "+",
                           "+-5",
                           "+5m",
                           "+44641",
                           "25:00",
                           "12:60",
                           "24:00",
                           "24:01",
                           "7",
                           "12",
                           "1200",
                           "12:0",
                           "012:00",
                           "02:00-",
                           "-04:00",
                           "02:00-02:00",
                           "02:00-04:00-05:00",
                           "Sat",
                           "Sam 02:00-04:00",
                           "Sat,,Sun 02:00-04:00",
                           "Sat 02:00 - 04:00 x",
                           "02:00-25:00",
                           "Sat+5",
                           "Sat 02:00–04:00"}) {
    SCOPED_TRACE(text);
    const auto refused = reboot_time(text, *base::parse_utc("2026-11-21T10:00:00Z"), zone_of(kUtc));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), base::Errc::invalid);
    EXPECT_THAT(refused.error().hint(), testing::HasSubstr("Sat 02:00-04:00"));
  }
}

}  // namespace
}  // namespace auditshift::migrate::outside
