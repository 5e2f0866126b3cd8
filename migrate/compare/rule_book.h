// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "migrate/compare/rule_match.h"
#include "migrate/event_class.h"
#include "migrate/facts.h"
#include "migrate/owner.h"
#include "sensor/ebpf_options.h"

namespace auditshift::migrate::compare {

/// A rule in the kernel, and whose it is.
struct LiveRule {
  auditd::Rule rule;
  std::string text;  ///< as `auditctl -l` prints it
  Owner owner = Owner::user;
  auditd::Origin origin;  ///< where it stands on disk; no file: only in the kernel
  std::string meaning;    ///< in words
  CoverageAnswer coverage;
};

/// The rules in the kernel, in its order, with what the inventory knows of each. REQUIRES: they are known.
std::vector<LiveRule> live_rules(const Facts& facts);

/// Follows the links of a path; nothing for what does not exist.
using ResolvePath = std::function<std::optional<std::string>(const std::string&)>;

/// Which rule records an event: the first of the exit list that matches decides, be it to record or not.
class RuleBook {
 public:
  RuleBook(std::vector<LiveRule> rules, const ResolvePath& resolve);

  /// All rules, those of other lists included; positions below count in this list.
  const std::vector<LiveRule>& rules() const { return rules_; }
  /// True for a rule that records calls.
  bool records(std::size_t rule) const;

  /// What the audit system should make of a call that the sensor saw.
  struct Expectation {
    bool possible = false;            ///< a rule may record it
    std::optional<std::size_t> rule;  ///< the one that surely does
  };
  Expectation expected(const sensor::Event& event) const;

  /// The rule that made this event of the audit stream, by its key and by what it asks for; nothing for
  /// events that the kernel makes without any.
  std::optional<std::size_t> made_by(const sensor::Event& audit) const;

  /// Knobs of the sensor with which it tells all that these rules may record, wherever it can.
  sensor::EbpfOptions widest_options() const;

 private:
  struct Entry {
    std::size_t rule;
    RuleMatcher matcher;
    std::string keys;  ///< as a record has them: joined by byte 1
    bool records;
  };

  std::vector<LiveRule> rules_;
  std::vector<Entry> entries_;  ///< those of the exit list
};

}  // namespace auditshift::migrate::compare
