// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/publish_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

using testing::HasSubstr;

PublishedResult ended(State state, Outcome::Kind kind, std::string message = {}) {
  PublishedResult result;
  result.id = "t";
  result.outcome = {state, kind, std::move(message)};
  result.at = *base::parse_utc("2026-11-21T10:00:00Z");
  return result;
}

TEST(PublishResult, TellsWhoLogsInOfAFailureAndTakesItBack) {
  const tests::TemporaryTree tree;
  const auto host = tree.open();
  const auto failed =
      ended(State::rolled_back, Outcome::Kind::rolled_back, "rules came back: \x1b[31m/etc/audit/x");
  ASSERT_TRUE(publish_result(host, failed, {}).ok());
  EXPECT_THAT(tree.read(kLoginMessage), HasSubstr("to eBPF failed, and all"));
  EXPECT_THAT(tree.read(kLoginMessage), HasSubstr("\\x1b[31m/etc/audit/x"))
      << "nothing for the terminal to obey";
  for (int twice = 0; twice < 2; ++twice)
    ASSERT_TRUE(publish_result(host, ended(State::switched, Outcome::Kind::done), {}).ok());
  EXPECT_FALSE(host.exists(kLoginMessage));
}

TEST(PublishResult, WritesMetricsWhereThereIsADirectory) {
  const tests::TemporaryTree tree;
  tree.directory("/metrics");
  const auto host = tree.open();
  ASSERT_TRUE(publish_result(host, ended(State::switched, Outcome::Kind::done), {"/metrics"}).ok());
  const std::string text = tree.read("/metrics/auditshift_switch.prom");
  EXPECT_THAT(text, HasSubstr("auditshift_switch_result{result=\"done\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("auditshift_switch_result{result=\"rolled_back\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("auditshift_switch_result_time_seconds 1795255200\n"));
  EXPECT_FALSE(publish_result(host, ended(State::switched, Outcome::Kind::done), {"/none"}).ok());
}

}  // namespace
}  // namespace auditshift::migrate::change
