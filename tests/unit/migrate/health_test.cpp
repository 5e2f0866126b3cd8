// SPDX-License-Identifier: Apache-2.0
#include "migrate/health.h"

#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

TEST(Health, ReadsValuesQuotesAndTheManagedMark) {
  const Health health = parse_health(
      "healthy                                     : true\n"
      "app_version                                 : \"101.24052.0002\"\n"
      "real_time_protection_enabled                : true [managed]\n"
      "edr_device_tags                             : []\n"
      "supplementary_events_subsystem              : \"ebpf\" [managed]\r\n");
  EXPECT_EQ(health.get("healthy"), "true");
  EXPECT_EQ(health.get("app_version"), "101.24052.0002");
  EXPECT_EQ(health.get("edr_device_tags"), "[]");
  EXPECT_EQ(health.get("supplementary_events_subsystem"), "ebpf");
  EXPECT_TRUE(health.fields.at("supplementary_events_subsystem").managed);
  EXPECT_FALSE(health.fields.at("healthy").managed);
  EXPECT_EQ(health.get("nothing"), "");
}

TEST(Health, KeepsTheAttentionLineApart) {
  const Health health = parse_health("ATTENTION: The product has expired.\nlicensed : false\n");
  EXPECT_EQ(health.attention, "The product has expired.");
  EXPECT_EQ(health.get("licensed"), "false");
  EXPECT_EQ(health.fields.size(), 1U);
}

TEST(Health, ReadsTheJsonForm) {
  const Health health = parse_health(R"({"appVersion": "101.25012.0001", "healthy": true,
                                         "supplementary_events_subsystem": {"value": "ebpf", "managed": true}})");
  EXPECT_EQ(health.get("app_version"), "101.25012.0001");
  EXPECT_EQ(health.get("healthy"), "true");
  EXPECT_EQ(health.get("supplementary_events_subsystem"), "ebpf");
  EXPECT_TRUE(health.fields.at("supplementary_events_subsystem").managed);
}

TEST(Health, IsEmptyForAnythingElse) {
  EXPECT_TRUE(parse_health("Could not connect to the daemon.\n").empty());
  EXPECT_TRUE(parse_health("").empty());
  EXPECT_TRUE(parse_health("{ broken").empty());
  EXPECT_TRUE(parse_health(std::string_view("\0\xff:", 3)).empty());
}

TEST(HealthDate, ReadsTheProductsForm) {
  const auto day = parse_health_date("Mar 23, 2024 at 08:19:40 PM");
  ASSERT_TRUE(day);
  EXPECT_EQ(*day, std::chrono::sys_days(std::chrono::year(2024) / 3 / 23));
  EXPECT_FALSE(parse_health_date("2024-03-23"));
  EXPECT_FALSE(parse_health_date("Foo 23, 2024"));
  EXPECT_FALSE(parse_health_date("Feb 31, 2024 at 01:00:00 AM"));
  EXPECT_FALSE(parse_health_date(""));
}

}  // namespace
}  // namespace auditshift::migrate
