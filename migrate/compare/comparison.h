// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "migrate/compare/reason.h"
#include "migrate/compare/rule_book.h"
#include "migrate/render_text.h"

namespace auditshift::migrate::compare {

/// One event that the two sides do not tell alike.
struct Example {
  base::WallTime when;
  std::string side;  ///< audit, sensor: who told it; both: they differ
  std::uint32_t pid = 0;
  std::string executable;
  std::string call;  ///< "rename"; for an unknown one its number
  std::int64_t result = 0;
  std::string object;  ///< names, address; how the two differ
  std::string reason;  ///< see Reason; "differs"
  std::string detail;
};

/// What was seen of the events of one rule.
struct RuleTally {
  std::uint64_t both = 0;
  std::uint64_t differing = 0;  ///< told by both, with different names or addresses
  std::map<Reason, std::uint64_t> audit_only;
  std::map<Reason, std::uint64_t> sensor_only;
  std::vector<Example> examples;  ///< a few of each reason

  std::uint64_t audit_only_total() const;
  std::uint64_t sensor_only_total() const;
  std::uint64_t missed() const;  ///< covered, and not told alike by the sensor
};

/// What one side lost while the other looked.
struct SideLoss {
  std::string side;  ///< audit, sensor, comparison
  std::string cause;
  std::uint64_t count = 0;
};

enum class Outcome {
  nothing_lost,  ///< everything that a rule recorded and the sensor covers was told by both
  nothing_seen,  ///< no rule recorded anything: proves nothing
  incomplete,    ///< a side lost events, so nothing is proven
  missed,        ///< something covered was not told by the sensor, or told otherwise
};
std::string_view to_string(Outcome outcome);  ///< nothing-lost, nothing-seen, incomplete, missed

/// auditd and the sensor side by side on one host for some time.
struct Comparison {
  std::string host;
  base::WallTime started;
  std::chrono::milliseconds duration{0};
  std::string audit_state;         ///< mutable, immutable
  std::string sensor_tier;         ///< core, …
  std::string settings_from;       ///< where the sensor's settings came from, in words
  std::vector<std::string> notes;  ///< what a reader must know to judge
  std::vector<LiveRule> rules;     ///< in the kernel's order, all lists
  std::vector<RuleTally> tallies;  ///< one per rule
  RuleTally unruled;               ///< events of the audit stream that no rule made
  std::vector<SideLoss> losses;    ///< those that happened

  std::uint64_t audit_events() const;  ///< recorded by rules, whoever else told them
  std::uint64_t missed() const;
  Outcome outcome() const;
};

/// 0, or 2 when something was missed or the comparison is incomplete.
int exit_code_of(const Comparison& comparison);

/// docs/schema/compare.schema.json
base::Json to_json(const Comparison& comparison);
std::string render_text(const Comparison& comparison, const TextOptions& options);
/// One file without script that loads nothing; see html_document.
std::string render_html(const Comparison& comparison);

/// The outcome in a sentence.
std::string sentence(const Comparison& comparison);

}  // namespace auditshift::migrate::compare
