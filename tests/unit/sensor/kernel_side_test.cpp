// SPDX-License-Identifier: Apache-2.0
#include "sensor/kernel_side.h"

#include <gtest/gtest.h>

#include <string>

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

class Heard final : public Consumer {
 public:
  void consume(const Event& event) override {
    EXPECT_EQ(event.kind, EventKind::loss);
    EXPECT_EQ(event.boot_ns, event.loss.last_ns);
    text += std::string(event.loss.cause) + " " + std::to_string(event.loss.count) + " " +
            std::to_string(event.loss.first_ns) + "-" + std::to_string(event.loss.last_ns) + "\n";
  }
  void end_of_batch() override { text += "end\n"; }

  std::string text;
};

class LossTellerTest : public testing::Test {
 protected:
  base::FixedClock clock_{base::WallTime(5s), 1000ns};
  LossTeller teller_{clock_};
  Heard heard_;
};

TEST_F(LossTellerTest, TellsWhatCameSinceItWasTold) {
  teller_.start({0, 7}, clock_.since_boot());
  clock_.advance(500ns);
  EXPECT_TRUE(teller_.tell(std::vector<DropCounter>{{"full", 2, {}}, {"busy", 7, {}}}, heard_));
  clock_.advance(500ns);
  EXPECT_TRUE(teller_.tell(std::vector<DropCounter>{{"full", 3, {}}, {"busy", 8, {}}}, heard_));
  EXPECT_EQ(heard_.text,
            "full 2 1000-1500\nend\n"
            "full 1 1500-2000\nbusy 1 1500-2000\nend\n");
  EXPECT_EQ(teller_.told(), (std::vector<std::uint64_t>{3, 8}));
}

TEST_F(LossTellerTest, SaysNothingWhereNothingWasLostOrACounterCouldNotBeRead) {
  teller_.start({5}, clock_.since_boot());
  EXPECT_FALSE(teller_.tell(std::vector<DropCounter>{{"full", 5, {}}}, heard_));
  EXPECT_FALSE(teller_.tell(std::vector<DropCounter>{{"full", 0, {}}}, heard_)) << "the count of none";
  clock_.advance(9ns);
  EXPECT_TRUE(teller_.tell(std::vector<DropCounter>{{"full", 6, {}}}, heard_));
  EXPECT_EQ(heard_.text, "full 1 1000-1009\nend\n");
}

TEST_F(LossTellerTest, IsDueFourTimesASecond) {
  teller_.start({0}, clock_.since_boot());
  EXPECT_FALSE(teller_.due());
  clock_.advance(249ms);
  EXPECT_FALSE(teller_.due());
  clock_.advance(1ms);
  EXPECT_TRUE(teller_.due());
  teller_.tell(std::vector<DropCounter>{{"full", 0, {}}}, heard_);
  EXPECT_FALSE(teller_.due());
}

TEST_F(LossTellerTest, WhatAPredecessorMissedIsToldAtOnceAndSinceItLooked) {
  clock_.advance(2s);
  teller_.start({3}, 400ns);
  EXPECT_TRUE(teller_.due());
  EXPECT_TRUE(teller_.tell(std::vector<DropCounter>{{"full", 9, {}}}, heard_));
  EXPECT_EQ(heard_.text, "full 6 400-2000001000\nend\n");
  EXPECT_EQ(teller_.told_at(), clock_.since_boot());
}

TEST_F(LossTellerTest, StartsAnewWithAnotherProvidersCounters) {
  teller_.start({10}, clock_.since_boot());
  clock_.advance(1s);
  teller_.start({0}, clock_.since_boot());
  EXPECT_FALSE(teller_.due());
  EXPECT_TRUE(teller_.tell(std::vector<DropCounter>{{"full", 1, {}}}, heard_));
}

TEST(WallOffset, LeadsFromTheTimeSinceBootToThatSince1970) {
  const base::FixedClock clock(base::WallTime(100s), 30s);
  EXPECT_EQ(wall_offset(clock), 70'000'000'000);
}

TEST(SuppliedKinds, AreThoseThatProgramsCanSupply) {
  EbpfOptions options;
  options.kinds = {EventKind::exec, EventKind::name};
  EXPECT_TRUE(supplied_kinds(options).contains(EventKind::exec));
  EXPECT_FALSE(supplied_kinds(options).contains(EventKind::name)) << "netlink's";
  EXPECT_FALSE(supplied_kinds(options).contains(EventKind::fork)) << "not asked for";
}

}  // namespace
}  // namespace auditshift::sensor
