// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/check.h"

namespace auditshift::migrate {
namespace {

bool has_exclusions(const CheckContext& c) { return !c.exclusions.empty(); }

Evidence evidence_for(const ExclusionIntent& intent) {
  Evidence evidence = intent.sources.front();
  evidence.text = intent.intent + ": " + intent.reason;
  return evidence;
}

template <class Predicate>
std::vector<const ExclusionIntent*> select(const CheckContext& c, Predicate wanted) {
  std::vector<const ExclusionIntent*> found;
  for (const ExclusionIntent& intent : c.exclusions)
    if (wanted(intent)) found.push_back(&intent);
  return found;
}

std::vector<Finding> finding_for(const std::vector<const ExclusionIntent*>& intents, FindingSeverity severity,
                                 const std::string& diagnosis, const std::string& hint) {
  if (intents.empty()) return {};
  Finding finding;
  finding.severity = severity;
  finding.diagnosis = base::count_of(intents.size(), "exclusion") + " " + diagnosis;
  base::Json ids = base::Json::array();
  for (const ExclusionIntent* intent : intents) {
    finding.evidence.push_back(evidence_for(*intent));
    ids.push_back(intent->id);
  }
  finding.data = {{"exclusions", ids}};
  finding.remediations.push_back({.hint = hint});
  return {finding};
}

CheckOutcome needs_consent(const CheckContext& c) {
  return finding_for(select(c, [](const auto& intent) { return intent.consent_needed; }),
                     FindingSeverity::medium,
                     "could be carried over only at the price of events or protection.",
                     "Accept one by its id, or leave them all out (--skip EXC001): the host is then watched "
                     "more, not less.");
}

CheckOutcome no_equivalent(const CheckContext& c) {
  return finding_for(select(c, [](const auto& intent) { return intent.result == Translation::none; }),
                     FindingSeverity::info, "without an equivalent among global exclusions.",
                     "Nothing: what only quieted audit is not needed with eBPF. Watch the sensor's "
                     "statistics after the switch.");
}

CheckOutcome serves_user(const CheckContext& c) {
  return finding_for(select(c, [](const auto& intent) { return intent.serves_user_rules; }),
                     FindingSeverity::info, "also quiet rules of your own.",
                     "They stay in auditd after the switch.");
}

constexpr Check kChecks[] = {
    {"EXC001", "Exclusions that need consent",
     "A global exclusion switches off more than an audit rule does. It is made only for those that an "
     "administrator accepts by id.",
     has_exclusions, needs_consent},
    {"EXC002", "Exclusions without equivalent",
     "Global exclusions know processes, folders and files; audit knows users, syscalls, record types and "
     "more.",
     has_exclusions, no_equivalent},
    {"EXC003", "Exclusions that serve your own rules",
     "A never rule quiets every rule after it, whoever wrote it.", has_exclusions, serves_user},
};

}  // namespace

std::span<const Check> exclusion_checks() { return kChecks; }

}  // namespace auditshift::migrate
