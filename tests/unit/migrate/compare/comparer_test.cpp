// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/comparer.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>

#include "events.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::Event;
using sensor::EventKind;
using Counts = std::map<Reason, std::uint64_t>;

constexpr std::uint32_t kOwnPid = 9;

class ComparerTest : public testing::Test {
 protected:
  void SetUp() override { comparer_.begin(999'000'000'000); }
  static Event record(Event event, std::string_view key = "k") {
    event.audit_key = key;
    return event;
  }
  Comparison finish(Comparer::Circumstances circumstances = {}) {
    circumstances.end_ns = 1'001'000'000'000;
    Comparison result;
    comparer_.finish(circumstances, result);
    return result;
  }

  RuleBook rules_ =
      book({"-a always,exit -F arch=b64 -S rename,connect,openat,exit,exit_group,fallocate,adjtimex "
            "-k k"});
  SensorSettings settings_;
  Comparer comparer_{rules_, settings_, kOwnPid};
};

TEST_F(ComparerTest, WhoeverComesFirstWaitsForTheOther) {
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  comparer_.take_sensor(event("rename", "/a", "/b"));
  comparer_.take_sensor(event("rename", "/b", "/c"));
  comparer_.take_audit(record(event("rename", "/b", "/c")));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].both, 2U);
  EXPECT_EQ(result.outcome(), Outcome::nothing_lost);
}

TEST_F(ComparerTest, AnEventThatTheSensorLacksIsMissedAndTheOthersAreNot) {
  const char* const names[] = {"/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9"};
  for (const char* name : names) comparer_.take_audit(record(event("rename", name, "/x")));
  for (const char* name : names)
    if (std::string_view(name) != "/4") comparer_.take_sensor(event("rename", name, "/x"));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].both, 9U);
  EXPECT_EQ(result.tallies[0].audit_only, (Counts{{Reason::unexplained, 1}}));
  ASSERT_EQ(result.tallies[0].examples.size(), 1U);
  EXPECT_EQ(result.tallies[0].examples[0].object, "\"/4\" \"/x\"");
  EXPECT_EQ(exit_code_of(result), 2);
}

TEST_F(ComparerTest, LossesOfTheSensorAreTheReason) {
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  EXPECT_EQ(finish({.sensor_lost = 3}).tallies[0].audit_only, (Counts{{Reason::lost, 1}}));
}

TEST_F(ComparerTest, OtherNamesAreADifference) {
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  comparer_.take_sensor(event("rename", "/a", "/other"));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].differing, 1U);
  EXPECT_EQ(result.tallies[0].examples[0].object, "second path: audit \"/b\", sensor \"/other\"");
  EXPECT_EQ(exit_code_of(result), 2);
}

TEST_F(ComparerTest, AReusedProcessNumberIsNotTheSameProcess) {
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  Event other = event("rename", "/a", "/b");
  other.process.comm = "other";
  other.process.executable.text = "/usr/bin/other";
  comparer_.take_sensor(other);
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].both, 0U);
  EXPECT_EQ(result.tallies[0].audit_only_total(), 1U);
  EXPECT_EQ(result.tallies[0].sensor_only, (Counts{{Reason::no_record, 1}}));
}

TEST_F(ComparerTest, ACallDoesNotEndBeforeItBegan) {
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  Event earlier = event("rename", "/a", "/b");
  earlier.wall_ns -= 500'000'000;
  comparer_.take_sensor(earlier);
  EXPECT_EQ(finish().tallies[0].both, 0U);
}

TEST_F(ComparerTest, WhatBeganBeforeOrAfterIsNotHeldAgainstAnybody) {
  Event before = record(event("rename", "/a", "/b"));
  before.wall_ns = 998'000'000'000;
  comparer_.take_audit(before);
  Event after = record(event("rename", "/c", "/d"));
  after.wall_ns = 1'002'000'000'000;
  comparer_.take_audit(after);
  Event seen_before = event("rename", "/e", "/f");
  seen_before.wall_ns = 998'000'000'000;
  comparer_.take_sensor(seen_before);
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].audit_only, (Counts{{Reason::began_before, 1}}));
  EXPECT_EQ(result.tallies[0].sensor_only, Counts{});
  EXPECT_EQ(exit_code_of(result), 0);
}

TEST_F(ComparerTest, ACallFromBeforeTheComparisonDoesNotTakeThePlaceOfAnother) {
  const auto at = [](Event event, std::int64_t ns) {
    event.wall_ns = ns;
    return event;
  };
  // Two that ended before anybody looked, one that ended while both did, one whole: all of them alike.
  for (const std::int64_t begun : {998'000'000'000, 998'500'000'000, 998'900'000'000})
    comparer_.take_audit(at(record(event("connect")), begun));
  comparer_.take_sensor(at(event("connect"), 999'100'000'000));
  comparer_.take_sensor(at(event("connect"), 999'300'000'000));
  comparer_.take_audit(at(record(event("connect")), 999'200'000'000));
  const RuleTally tally = finish().tallies[0];
  EXPECT_EQ(tally.both, 2U);
  EXPECT_EQ(tally.audit_only, (Counts{{Reason::began_before, 2}}));
}

TEST_F(ComparerTest, WhatTheSettingsKeepBackHasAReason) {
  settings_.exclusions = sensor::Exclusions({{sensor::ExclusionKind::process, "/usr/bin/worker"}});
  settings_.options.kinds.erase(EventKind::connect);
  const auto both = [&](const Event& event) {
    comparer_.take_audit(record(event));
    comparer_.take_sensor(event);
  };
  both(event("rename", "/a", "/b"));
  Event other = event("connect");
  other.process.executable.text = "/usr/bin/other";
  both(other);
  Event read = event("openat", "/c");
  read.process.executable.text = "/usr/bin/other";
  read.flags = O_RDONLY;
  both(read);
  Event failed = event("rename", "/a", "/b");
  failed.process.executable.text = "/usr/bin/other";
  failed.syscall.result = -ENOENT;
  both(failed);
  Event refused = failed;
  refused.syscall.result = -EACCES;
  both(refused);
  const RuleTally tally = finish().tallies[0];
  EXPECT_EQ(tally.both, 1U) << "refusals are told";
  EXPECT_EQ(tally.audit_only,
            (Counts{{Reason::excluded, 1}, {Reason::switched_off, 1}, {Reason::by_default, 2}}));
  EXPECT_EQ(tally.missed(), 2U);
  EXPECT_EQ(tally.examples[0].detail, "process /usr/bin/worker");
}

TEST_F(ComparerTest, CallsThatNoEventStandsForAreNotCovered) {
  Event fallocate = event("rename");
  fallocate.kind = EventKind::none;
  fallocate.syscall.number = 285;
  fallocate.syscall.name = {};
  comparer_.take_audit(record(fallocate));
  comparer_.take_audit(record(event("adjtimex")));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].audit_only, (Counts{{Reason::not_covered, 2}}));
  EXPECT_EQ(result.outcome(), Outcome::nothing_lost);
  EXPECT_TRUE(std::any_of(result.tallies[0].examples.begin(), result.tallies[0].examples.end(),
                          [](const Example& example) { return example.detail == "fallocate"; }));
}

TEST_F(ComparerTest, TheEndOfAThreadIsNotTheEndOfItsProcess) {
  Event thread = record(event("exit"));
  Event group = record(event("exit_group"));
  Event end = event("exit_group");
  thread.exit_code = group.exit_code = end.exit_code = 0;
  comparer_.take_audit(thread);
  comparer_.take_audit(group);
  comparer_.take_sensor(end);
  const RuleTally tally = finish().tallies[0];
  EXPECT_EQ(tally.both, 1U);
  EXPECT_EQ(tally.audit_only, (Counts{{Reason::not_covered, 1}}));
}

TEST_F(ComparerTest, WhatTheSensorAloneTellsIsNoFault) {
  comparer_.take_sensor(event("rename", "/a", "/b"));
  Event daemon = event("rename", "/c", "/d");
  daemon.process.id.pid = 77;
  comparer_.take_sensor(daemon);
  const Comparison result = finish({.audit_daemon = 77});
  EXPECT_EQ(result.tallies[0].sensor_only, (Counts{{Reason::audit_daemon, 1}, {Reason::no_record, 1}}));
  EXPECT_EQ(exit_code_of(result), 0);
}

TEST_F(ComparerTest, RecordsWithoutARuleAndThisProgramItselfDoNotCount) {
  comparer_.take_audit(record(event("rename", "/a", "/b"), "gone"));
  Event own = record(event("rename", "/c", "/d"));
  own.process.id.pid = kOwnPid;
  comparer_.take_audit(own);
  const Comparison result = finish();
  EXPECT_EQ(result.audit_events(), 0U);
  EXPECT_EQ(result.unruled.audit_only_total(), 1U);
  EXPECT_EQ(result.outcome(), Outcome::nothing_seen);
}

/// Ground truth: events of many processes, some lost on either side, each side delayed at random.
TEST_F(ComparerTest, CountsAreRightWhateverTheOrderInWhichTheSidesTell) {
  std::vector<std::string> names;
  for (int i = 0; i < 2001; ++i) names.push_back("/n" + std::to_string(i));
  for (unsigned seed = 0; seed < 10; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random); };
    Comparer comparer(rules_, settings_, kOwnPid);
    std::uint64_t both = 0, audit_only = 0, sensor_only = 0;
    std::deque<Event> records, seen;
    std::size_t to_tell = 2000;
    while (to_tell != 0 || !records.empty() || !seen.empty()) {
      if (to_tell != 0 && below(3) == 0) {
        --to_tell;
        Event call = event("rename", names[to_tell], "/x");
        call.process.id.pid = 100 + static_cast<std::uint32_t>(below(4));
        call.wall_ns -= static_cast<std::int64_t>(to_tell) * 1000;
        const int fate = below(20);
        if (fate != 0) records.push_back(record(call));
        if (fate != 1) seen.push_back(call);
        both += fate > 1 ? 1 : 0;
        audit_only += fate == 1 ? 1 : 0;
        sensor_only += fate == 0 ? 1 : 0;
      }
      if (!records.empty() && below(2) == 0) {
        comparer.take_audit(records.front());
        records.pop_front();
      }
      if (!seen.empty() && below(2) == 0) {
        comparer.take_sensor(seen.front());
        seen.pop_front();
      }
    }
    Comparison result;
    comparer.finish({}, result);
    // A call lost on one side and a later one lost on the other may be taken for one told in two ways.
    const RuleTally& tally = result.tallies[0];
    EXPECT_EQ(tally.both, both) << seed;
    EXPECT_EQ(tally.audit_only_total() + tally.differing, audit_only) << seed;
    EXPECT_EQ(tally.sensor_only_total() + tally.differing, sensor_only) << seed;
  }
}

TEST_F(ComparerTest, MemoryIsBoundedAndWhatIsGivenUpIsCounted) {
  Comparer comparer(rules_, settings_, kOwnPid, 100);
  for (int i = 0; i < 1000; ++i) comparer.take_audit(record(event("rename", "/a", "/b")));
  Comparison result;
  comparer.finish({}, result);
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_EQ(result.losses[0].side, "comparison");
  EXPECT_EQ(result.losses[0].count + result.audit_events(), 1000U);
}

/// A rule that asks for what no event tells, so that it never surely records.
class FullComparerTest : public testing::Test {
 protected:
  static constexpr std::size_t kLimit = 100;

  void SetUp() override { comparer_.begin(999'000'000'000); }
  static Event record(Event event) {
    event.audit_key = "k";
    return event;
  }
  /// The sensor tells more than may wait, and no record came for any of it yet.
  void fill() {
    for (std::size_t i = 0; i <= kLimit; ++i) comparer_.take_sensor(event("rename", "/a", "/b"));
  }
  Comparison finish() {
    Comparison result;
    comparer_.finish({.end_ns = 1'001'000'000'000}, result);
    return result;
  }

  RuleBook rules_ = book({"-a always,exit -F arch=b64 -S rename,connect -F subj_type=x_t -k k"});
  SensorSettings settings_;
  Comparer comparer_{rules_, settings_, kOwnPid, kLimit};
};

TEST_F(FullComparerTest, ARecordWhoseCounterpartWasGivenUpIsNotMissed) {
  fill();
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  const Comparison result = finish();
  EXPECT_EQ(result.missed(), 0U);
  EXPECT_EQ(result.tallies[0].audit_only_total(), 1U);
  ASSERT_EQ(result.losses.size(), 1U);
  EXPECT_EQ(result.losses[0].side, "comparison");
  EXPECT_EQ(result.losses[0].count, kLimit + 1);
  EXPECT_EQ(result.outcome(), Outcome::incomplete);
  EXPECT_EQ(exit_code_of(result), 2);
}

TEST_F(FullComparerTest, NorIsOneThatMeetsAnotherCallOfItsProcess) {
  fill();
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  comparer_.take_sensor(event("rename", "/a", "/other"));
  EXPECT_EQ(finish().outcome(), Outcome::incomplete);
}

TEST_F(FullComparerTest, AKindOfWhichNothingWasGivenUpIsMissed) {
  fill();
  comparer_.take_audit(record(event("connect")));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].audit_only, (Counts{{Reason::unexplained, 1}}));
  EXPECT_EQ(result.outcome(), Outcome::missed);
}

TEST_F(FullComparerTest, WhatIsSwitchedOffIsMissedWhateverWasGivenUp) {
  settings_.options.kinds.erase(EventKind::rename);
  fill();
  comparer_.take_audit(record(event("rename", "/a", "/b")));
  const Comparison result = finish();
  EXPECT_EQ(result.tallies[0].audit_only, (Counts{{Reason::switched_off, 1}}));
  EXPECT_EQ(result.outcome(), Outcome::missed);
}

TEST_F(FullComparerTest, RecordsThatFillTheRoomAloneAreMissed) {
  for (std::size_t i = 0; i < 2 * kLimit; ++i) comparer_.take_audit(record(event("rename", "/a", "/b")));
  EXPECT_EQ(finish().outcome(), Outcome::missed);
}

}  // namespace
}  // namespace auditshift::migrate::compare
