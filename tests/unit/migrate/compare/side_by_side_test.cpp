// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/side_by_side.h"

#include <gtest/gtest.h>

#include "events.h"

namespace auditshift::migrate::compare {
namespace {

using namespace std::chrono_literals;
using sensor::Event;

/// Tells one event per poll, as long as there are any; each poll takes a second of a clock that it moves.
class FakeProvider final : public sensor::Provider {
 public:
  FakeProvider(base::FixedClock& clock, std::vector<Event> events)
      : clock_(clock), events_(std::move(events)) {}
  base::Result<void> start() override {
    if (!refusal.empty()) return base::Error(base::Errc::unsupported, refusal);
    started = true;
    return {};
  }
  base::Result<std::size_t> poll(std::chrono::milliseconds, sensor::Consumer& consumer) override {
    if (fails) return base::Error(base::Errc::io, "it broke");
    clock_.advance(1s);
    if (told_ == events_.size()) return std::size_t{0};
    Event event = events_[told_++];
    event.wall_ns = clock_.now().time_since_epoch().count();
    consumer.consume(event);
    return std::size_t{1};
  }
  int descriptor() const override { return -1; }
  void stop() override { started = false; }
  std::vector<sensor::DropCounter> drops() const override { return {{"a full buffer", lost, {}}}; }
  sensor::KindSet kinds() const override { return sensor::KindSet::all(); }
  sensor::ProviderDescription describe() const override { return {"fake", "core", {}}; }

  std::string refusal;
  bool fails = false;
  bool started = false;
  std::uint64_t lost = 0;

 private:
  base::FixedClock& clock_;
  std::vector<Event> events_;
  std::size_t told_ = 0;
};

class FakeAudit final : public auditd::KernelAudit {
 public:
  auditd::AuditStatus status() override {
    auditd::AuditStatus status;
    status.state = auditd::AuditState::immutable;
    status.lost = lost;
    status.backlog = 0;
    lost += loses;
    return status;
  }
  auditd::LiveRules rules() override {
    auditd::LiveRules live;
    live.known = true;
    if (changes) live.rules.assign(++asked, rule("-a always,exit -S rename -k k"));
    return live;
  }
  std::uint32_t lost = 5;
  std::uint32_t loses = 0;
  bool changes = false;
  std::size_t asked = 0;
};

class SideBySideTest : public testing::Test {
 protected:
  base::Result<Comparison> run() {
    base::NoProgress progress;
    return compare_live({.audit = audit_,
                         .sensor = sensor_,
                         .kernel = kernel_,
                         .clock = clock_,
                         .time = 10s,
                         .own_pid = 1,
                         .stop = stop_},
                        rules_, settings_, progress);
  }
  static Event record(const char* from) {
    Event record = event("rename", from, "/to");
    record.audit_key = "k";
    return record;
  }

  RuleBook rules_ = book({"-a always,exit -F arch=b64 -S rename -k k"});
  SensorSettings settings_;
  base::FixedClock clock_{base::WallTime(std::chrono::hours(24 * 365))};
  FakeAudit kernel_;
  FakeProvider audit_{clock_, {record("/a"), record("/b")}};
  FakeProvider sensor_{clock_, {event("rename", "/a", "/to"), event("rename", "/b", "/to")}};
  std::function<bool()> stop_;
};

TEST_F(SideBySideTest, BothLookForTheTimeGivenAndAreStopped) {
  const auto result = run();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->tallies[0].both, 2U);
  EXPECT_EQ(result->duration, 10s);
  EXPECT_EQ(result->audit_state, "immutable");
  EXPECT_EQ(result->sensor_tier, "core");
  EXPECT_EQ(result->outcome(), Outcome::nothing_lost);
  EXPECT_FALSE(audit_.started || sensor_.started);
}

TEST_F(SideBySideTest, AProviderThatDoesNotStartOrBreaksIsAnErrorAndNothingStaysBehind) {
  sensor_.refusal = "no BTF";
  auto result = run();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "no BTF");
  EXPECT_FALSE(audit_.started);
  sensor_.refusal.clear();
  sensor_.fails = true;
  result = run();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "it broke");
  EXPECT_FALSE(audit_.started || sensor_.started);
}

TEST_F(SideBySideTest, LossesMakeItIncomplete) {
  kernel_.loses = 3;
  const auto result = run();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->losses.size(), 1U);
  EXPECT_EQ(result->losses[0].side, "audit");
  EXPECT_EQ(result->outcome(), Outcome::incomplete);
  EXPECT_EQ(exit_code_of(*result), 2);
}

TEST_F(SideBySideTest, ChangedRulesAreTold) {
  kernel_.changes = true;
  const auto result = run();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->notes.size(), 1U);
}

TEST_F(SideBySideTest, StoppingEarlyStillGivesTheAnswer) {
  int polls = 0;
  stop_ = [&] { return ++polls > 3; };
  const auto result = run();
  ASSERT_TRUE(result.ok());
  EXPECT_LT(result->duration, 10s);
  EXPECT_EQ(result->tallies[0].both, 2U);
}

}  // namespace
}  // namespace auditshift::migrate::compare
