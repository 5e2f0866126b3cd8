// SPDX-License-Identifier: Apache-2.0
#include "migrate/log_json.h"

#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

TEST(LogJson, RoundTrips) {
  auditd::LogStatistics log;
  log.first_day = std::chrono::sys_days(std::chrono::year(2024) / 6 / 1);
  log.last_day = log.first_day + std::chrono::days(1);
  log.days = 2;
  log.total = {10, 1000};
  log.by_key["mdatp"][log.first_day] = {9, 900};
  log.by_record_type["SYSCALL"][log.last_day] = {1, 100};
  log.classes[{"mdatp", 0xc000003e, 82, "/usr/bin/mv"}] = {9, 900};
  log.lines = 30;
  log.malformed = 1;
  log.files = {"/var/log/audit/audit.log"};
  log.errors = {"/var/log/audit/audit.log.1: Permission denied"};
  const std::string text = format_log_statistics(log);
  const auto parsed = parse_log_statistics(text, "log");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(format_log_statistics(*parsed), text);
  EXPECT_EQ(parsed->by_key.at("mdatp").at(log.first_day).events, 9U);
}

TEST(LogJson, RefusesNumbersThatAreNoCounts) {
  const std::string text = format_log_statistics({});
  ASSERT_NE(text.find("\"lines\":0"), std::string::npos) << text;
  for (const char* number : {"1.19e96", "-1", "0.5", "18446744073709551616"}) {
    std::string changed = text;
    changed.replace(changed.find("\"lines\":0"), 9, std::string("\"lines\":") + number);
    EXPECT_FALSE(parse_log_statistics(changed, "log")) << number;
  }
}

TEST(LogJson, RefusesOtherDocuments) {
  for (const char* text : {"", "[]", "{}", R"({"days": "many"})", "{", "null"})
    EXPECT_FALSE(parse_log_statistics(text, "log")) << text;
}

}  // namespace
}  // namespace auditshift::migrate
