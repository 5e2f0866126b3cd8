// SPDX-License-Identifier: Apache-2.0
#include "migrate/compare/comparison.h"

#include <numeric>

#include "base/text.h"

namespace auditshift::migrate::compare {
namespace {

std::uint64_t total(const std::map<Reason, std::uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

}  // namespace

std::uint64_t RuleTally::audit_only_total() const { return total(audit_only); }
std::uint64_t RuleTally::sensor_only_total() const { return total(sensor_only); }

std::uint64_t RuleTally::missed() const {
  std::uint64_t missed = differing;
  for (const auto& [reason, count] : audit_only)
    if (is_missed(reason)) missed += count;
  return missed;
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::nothing_lost:
      return "nothing-lost";
    case Outcome::nothing_seen:
      return "nothing-seen";
    case Outcome::incomplete:
      return "incomplete";
    case Outcome::missed:
      return "missed";
  }
  return "unknown";
}

std::uint64_t Comparison::audit_events() const {
  return std::accumulate(tallies.begin(), tallies.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const RuleTally& tally) {
                           return sum + tally.both + tally.differing + tally.audit_only_total();
                         });
}

std::uint64_t Comparison::missed() const {
  return std::accumulate(tallies.begin(), tallies.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const RuleTally& tally) { return sum + tally.missed(); });
}

Outcome Comparison::outcome() const {
  if (missed() != 0) return Outcome::missed;
  if (!losses.empty()) return Outcome::incomplete;
  return audit_events() == 0 ? Outcome::nothing_seen : Outcome::nothing_lost;
}

int exit_code_of(const Comparison& comparison) {
  const Outcome outcome = comparison.outcome();
  return outcome == Outcome::missed || outcome == Outcome::incomplete ? 2 : 0;
}

std::string sentence(const Comparison& comparison) {
  const std::string events = base::count_of(comparison.audit_events(), "event");
  switch (comparison.outcome()) {
    case Outcome::nothing_lost:
      return "Of " + events + " that audit rules recorded, the sensor told every one that it covers.";
    case Outcome::nothing_seen:
      return "No audit rule recorded anything in this time, so nothing is proven. Compare for longer, or "
             "while the host does its work.";
    case Outcome::incomplete:
      return "Events were lost while " + events +
             " were compared, so that nothing is proven. See the losses; compare for a shorter time or at a "
             "quieter one.";
    case Outcome::missed:
      break;
  }
  return "Of " + events + " that audit rules recorded, " + base::with_thousands(comparison.missed()) +
         (comparison.missed() == 1 ? " was" : " were") + " missed or told otherwise by the sensor.";
}

}  // namespace auditshift::migrate::compare
