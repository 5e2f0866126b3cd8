// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/comparer.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate::compare {
namespace {

using sensor::Event;
using sensor::EventKind;

/// How far an event is looked for among those of its key.
constexpr std::size_t kLookAhead = 512;
constexpr std::size_t kExamplesPerReason = 3;
/// The audit system stamps with the time of the last tick (ktime_get_coarse_real_ts64): 10 ms at HZ=100.
/// Twice that, for the offset between the two clocks.
constexpr std::int64_t kClockSlackNs = 20'000'000;

/// A call does not end before it began.
bool in_order(const Event& audit, const Event& sensor) {
  return sensor.wall_ns + kClockSlackNs >= audit.wall_ns;
}

/// A process ends by exit_group, or by the exit of its last thread; its other threads' exits are recorded
/// too.
bool ends_alike(const Event& audit, const Event& sensor) {
  if (audit.kind != EventKind::exit) return true;
  return (audit.syscall.name == "exit") == (sensor.syscall.name == "exit");
}

bool is_the_same(const Event& audit, const Event& sensor) {
  return in_order(audit, sensor) && may_be_one_process(audit, sensor) && ends_alike(audit, sensor) &&
         first_difference(audit, sensor) == Field::presence;
}

/// The earliest that is alike, not too far from the front.
template <class Waiting, class Alike>
auto find_alike(Waiting& waiting, const Alike& alike) {
  const auto last = waiting.begin() + static_cast<std::ptrdiff_t>(std::min(waiting.size(), kLookAhead));
  const auto found = std::find_if(waiting.begin(), last, alike);
  return found == last ? waiting.end() : found;
}

Example example_of(const Event& event, std::string side, std::string reason, std::string detail) {
  Example example;
  example.when = base::WallTime(std::chrono::nanoseconds(event.wall_ns));
  example.side = std::move(side);
  example.pid = event.process.id.pid;
  example.executable = event.process.executable.text;
  example.call =
      event.syscall.name.empty() ? std::to_string(event.syscall.number) : std::string(event.syscall.name);
  example.result = event.syscall.result;
  example.object = object_of(event);
  example.reason = std::move(reason);
  example.detail = std::move(detail);
  return example;
}

void add_example(RuleTally& tally, Example example) {
  const auto alike = std::count_if(tally.examples.begin(), tally.examples.end(), [&](const Example& other) {
    return other.reason == example.reason && other.side == example.side;
  });
  if (static_cast<std::size_t>(alike) < kExamplesPerReason) tally.examples.push_back(std::move(example));
}

}  // namespace

Comparer::Comparer(const RuleBook& rules, const SensorSettings& settings, std::uint32_t own_pid,
                   std::size_t waiting_limit)
    : rules_(rules),
      settings_(settings),
      own_pid_(own_pid),
      waiting_limit_(waiting_limit),
      tallies_(rules.rules().size()) {}

void Comparer::take_audit(const Event& event) {
  newest_record_ = std::max(newest_record_, event.wall_ns);
  if (event.process.id.pid == own_pid_) return;
  const auto rule = rules_.made_by(event);
  Group& group = groups_[key_of(event)];
  if (!was_under_way(event)) {
    const auto found = find_alike(group.seen, [&](const Seen& seen) {
      return !was_under_way(*seen.event) && is_the_same(event, *seen.event);
    });
    if (found != group.seen.end()) {
      count_pair(event, rule, found->withheld);
      group.seen.erase(found);
      --waiting_;
      return;
    }
  }
  group.records.push_back({KeptEvent(event), rule});
  if (++waiting_ > waiting_limit_) make_room();
}

void Comparer::take_sensor(const Event& event) {
  if (event.kind == EventKind::loss || event.process.id.pid == own_pid_) return;
  const auto expectation = rules_.expected(event);
  const EventKey key = key_of(event);
  const auto known = groups_.find(key);
  if (known != groups_.end() && !was_under_way(event)) {
    auto& records = known->second.records;
    const auto found = find_alike(records, [&](const Record& record) {
      return !was_under_way(*record.event) && is_the_same(*record.event, event);
    });
    if (found != records.end()) {
      count_pair(*found->event, found->rule, withheld(event, settings_));
      records.erase(found);
      --waiting_;
      return;
    }
  }
  if (!expectation.possible) return;
  groups_[key].seen.push_back({KeptEvent(event), expectation.rule, withheld(event, settings_)});
  if (++waiting_ > waiting_limit_) make_room();
}

void Comparer::count_pair(const Event& audit, std::optional<std::size_t> rule,
                          const std::optional<Why>& why) {
  ++matched_;
  if (why)
    count_record(audit, rule, *why);
  else
    ++tally(rule).both;
}

void Comparer::count_record(const Event& audit, std::optional<std::size_t> rule, const Why& why) {
  RuleTally& counts = tally(rule);
  ++counts.audit_only[why.reason];
  add_example(counts, example_of(audit, "audit", std::string(to_string(why.reason)), why.detail));
}

std::size_t Comparer::forget_unasked(std::int64_t wall_ns, std::set<EventKind>* kinds) {
  const std::size_t waited = waiting_;
  for (auto entry = groups_.begin(); entry != groups_.end();) {
    auto& [key, group] = *entry;
    const std::size_t gone = std::erase_if(
        group.seen, [&](const Seen& seen) { return !seen.rule && seen.event->wall_ns < wall_ns; });
    if (gone != 0 && kinds != nullptr) kinds->insert(key.kind);
    waiting_ -= gone;
    entry = group.seen.empty() && group.records.empty() ? groups_.erase(entry) : std::next(entry);
  }
  return waited - waiting_;
}

void Comparer::forget_before(std::int64_t wall_ns) { forget_unasked(wall_ns, nullptr); }

/// First what no rule surely asks for, then everything.
void Comparer::make_room() {
  not_compared_ += forget_unasked(INT64_MAX, &given_up_);
  if (waiting_ <= waiting_limit_ / 2) return;
  not_compared_ += waiting_;
  for (const auto& [key, group] : groups_)
    if (!group.seen.empty()) given_up_.insert(key.kind);
  groups_.clear();
  waiting_ = 0;
}

/// Calls that began before the comparison and ended in it are told by both.
void Comparer::pair_what_was_under_way(Group& group) {
  for (auto record = group.records.begin(); record != group.records.end();) {
    const auto found = !was_under_way(*record->event)
                           ? group.seen.end()
                           : std::find_if(group.seen.begin(), group.seen.end(), [&](const Seen& seen) {
                               return is_the_same(*record->event, *seen.event);
                             });
    if (found == group.seen.end()) {
      ++record;
      continue;
    }
    count_pair(*record->event, record->rule, found->withheld);
    group.seen.erase(found);
    record = group.records.erase(record);
  }
}

/// What is left of a key on both sides is the same call told in two ways.
void Comparer::pair_the_rest(Group& group, std::int64_t end_ns) {
  for (auto record = group.records.begin(); record != group.records.end();) {
    const bool counts = !was_under_way(*record->event) && record->event->wall_ns <= end_ns;
    const auto found = !counts
                           ? group.seen.end()
                           : std::find_if(group.seen.begin(), group.seen.end(), [&](const Seen& seen) {
                               return !was_under_way(*seen.event) && in_order(*record->event, *seen.event) &&
                                      may_be_one_process(*record->event, *seen.event);
                             });
    if (found == group.seen.end()) {
      ++record;
      continue;
    }
    count_other(*record->event, record->rule, *found->event, found->withheld);
    group.seen.erase(found);
    record = group.records.erase(record);
  }
}

void Comparer::count_other(const Event& audit, std::optional<std::size_t> rule, const Event& sensor,
                           const std::optional<Why>& why) {
  const Field field = first_difference(audit, sensor);
  // Alike: they were further apart than was looked, or a process ended in another way than its record says.
  if (why || field == Field::presence) return count_pair(audit, rule, why);
  // Perhaps two calls, each of which lacks its counterpart.
  if (given_up_.contains(audit.kind)) return count_record(audit, rule, {Reason::not_compared, {}});
  RuleTally& counts = tally(rule);
  ++counts.differing;
  Example example = example_of(sensor, "both", "differs", {});
  example.object = std::string(field_name(field)) + ": audit " + value_of(audit, field) + ", sensor " +
                   value_of(sensor, field);
  add_example(counts, std::move(example));
}

/// Why only audit told of this.
Why Comparer::why_alone(const Event& audit, const Circumstances& circumstances) const {
  if (auto outside = outside_the_sensor(audit)) return *std::move(outside);
  if (was_under_way(audit)) return {Reason::began_before, {}};
  if (circumstances.sensor_lost != 0)
    return {Reason::lost, base::count_of(circumstances.sensor_lost, "event") + " in all"};
  if (!given_up_.contains(audit.kind)) return {Reason::unexplained, {}};
  // What was given up would have been withheld like this record.
  if (auto why = withheld(audit, settings_)) return *std::move(why);
  return {Reason::not_compared, {}};
}

void Comparer::give_up_records(const Group& group, const Circumstances& circumstances) {
  for (const Record& record : group.records)
    if (record.event->wall_ns <= circumstances.end_ns)
      count_record(*record.event, record.rule, why_alone(*record.event, circumstances));
}

void Comparer::give_up_seen(const Group& group, const Circumstances& circumstances) {
  for (const Seen& seen : group.seen) {
    const Event& event = *seen.event;
    if (!seen.rule || seen.withheld || was_under_way(event) || event.wall_ns > circumstances.end_ns) continue;
    Why why{Reason::no_record, {}};
    if (event.process.id.pid == circumstances.audit_daemon)
      why.reason = Reason::audit_daemon;
    else if (circumstances.audit_lost != 0)
      why = {Reason::audit_lost, base::count_of(circumstances.audit_lost, "record") + " in all"};
    RuleTally& counts = tallies_[*seen.rule];
    ++counts.sensor_only[why.reason];
    add_example(counts, example_of(event, "sensor", std::string(to_string(why.reason)), why.detail));
  }
}

void Comparer::finish(const Circumstances& circumstances, Comparison& result) {
  for (auto& [key, group] : groups_) {
    pair_what_was_under_way(group);
    pair_the_rest(group, circumstances.end_ns);
    give_up_records(group, circumstances);
    give_up_seen(group, circumstances);
  }
  groups_.clear();
  waiting_ = 0;
  result.rules = rules_.rules();
  result.tallies = std::move(tallies_);
  result.unruled = std::move(unruled_);
  if (not_compared_ != 0)
    result.losses.push_back({"comparison", "events that waited too long for the other side", not_compared_});
}

}  // namespace auditshift::migrate::compare
