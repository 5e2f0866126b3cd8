// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "migrate/compare/comparison.h"
#include "migrate/compare/kept_event.h"
#include "migrate/compare/likeness.h"
#include "migrate/compare/reason.h"
#include "migrate/compare/rule_book.h"

namespace auditshift::migrate::compare {

/// Finds for each event of the audit stream the one that the sensor told of the same call, as they come, and
/// counts per rule. Within a key (see EventKey) the earliest that is alike is the one: both sides tell the
/// calls of a process in the order in which they ended. Calls that were under way as the comparison began are
/// left to the end: many calls are alike, and one that only audit saw must not take the place of another.
///
/// Memory is bounded: events wait for their counterpart, some are given up when too many do, and counted as
/// "not compared". A record that lacks its counterpart is not held against the sensor where that may be among
/// them.
class Comparer {
 public:
  /// What is needed to tell why something is missing; all of it of the time of the comparison.
  struct Circumstances {
    std::int64_t end_ns = INT64_MAX;  ///< wall clock: nothing that began later counts
    std::uint64_t sensor_lost = 0;
    std::uint64_t audit_lost = 0;
    std::uint32_t audit_daemon = 0;  ///< its pid, 0 for none
  };

  /// REQUIRES: `rules` and `settings` outlive this. `own_pid` is left out: the sensor never tells of itself.
  /// At most so many events wait, of about a kilobyte each.
  Comparer(const RuleBook& rules, const SensorSettings& settings, std::uint32_t own_pid,
           std::size_t waiting_limit = 200'000);

  /// Both sides look from `begin_ns` on, by the wall clock. REQUIRES: called before any event comes.
  void begin(std::int64_t begin_ns) { begin_ns_ = begin_ns; }

  void take_audit(const sensor::Event& event);
  void take_sensor(const sensor::Event& event);

  /// Gives up events of the sensor that no record came for and no rule surely asks for, older than this.
  void forget_before(std::int64_t wall_ns);

  std::uint64_t matched() const { return matched_; }
  /// The latest record that came, by its time.
  std::int64_t newest_record() const { return newest_record_; }

  /// What is still waiting is missing. Fills tallies, `unruled` and losses of the comparison's own.
  void finish(const Circumstances& circumstances, Comparison& result);

 private:
  struct Record {
    KeptEvent event;
    std::optional<std::size_t> rule;
  };
  struct Seen {
    KeptEvent event;
    std::optional<std::size_t> rule;  ///< the one that surely asks for it
    std::optional<Why> withheld;
  };
  struct Group {
    std::deque<Record> records;
    std::deque<Seen> seen;
  };

  RuleTally& tally(std::optional<std::size_t> rule) { return rule ? tallies_[*rule] : unruled_; }
  void count_pair(const sensor::Event& audit, std::optional<std::size_t> rule, const std::optional<Why>& why);
  void count_other(const sensor::Event& audit, std::optional<std::size_t> rule, const sensor::Event& sensor,
                   const std::optional<Why>& why);
  void count_record(const sensor::Event& audit, std::optional<std::size_t> rule, const Why& why);
  /// Audit stamps a record with the time at which the call began, the sensor that at which it ended.
  bool was_under_way(const sensor::Event& event) const { return event.wall_ns < begin_ns_; }
  void pair_what_was_under_way(Group& group);
  void pair_the_rest(Group& group, std::int64_t end_ns);
  Why why_alone(const sensor::Event& audit, const Circumstances& circumstances) const;
  void give_up_records(const Group& group, const Circumstances& circumstances);
  void give_up_seen(const Group& group, const Circumstances& circumstances);
  /// Gives up what the sensor told and no rule surely asks for, older than this; how many.
  std::size_t forget_unasked(std::int64_t wall_ns, std::set<sensor::EventKind>* kinds);
  void make_room();

  const RuleBook& rules_;
  const SensorSettings& settings_;
  std::uint32_t own_pid_;
  std::size_t waiting_limit_;
  std::int64_t begin_ns_ = INT64_MIN;
  std::map<EventKey, Group> groups_;
  std::size_t waiting_ = 0;
  std::uint64_t matched_ = 0;
  std::uint64_t not_compared_ = 0;
  std::set<sensor::EventKind> given_up_;  ///< kinds of what the sensor told and make_room gave up
  std::int64_t newest_record_ = 0;
  std::vector<RuleTally> tallies_;
  RuleTally unruled_;
};

}  // namespace auditshift::migrate::compare
