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
  return finding_for(
      select(c, [](const auto& intent) { return intent.consent_needed && intent.dangers.empty(); }),
      FindingSeverity::medium, "could be carried over only at the price of events or protection.",
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

/// Never part of a general consent: only the intent's own id accepts it.
CheckOutcome dangerous(const CheckContext& c) {
  return finding_for(
      select(c, [](const auto& intent) { return intent.consent_needed && !intent.dangers.empty(); }),
      FindingSeverity::medium, "would hide an intruder if carried over; left out.",
      "Leave them out. Accepting EXC001 does not cover them; each would need its own --accept.");
}

CheckOutcome agent_too_old(const CheckContext& c) {
  const auto intents = select(c, [](const auto& intent) { return intent.entry.has_value(); });
  const GlobalExclusionSupport support = global_exclusion_support(c.facts.agent);
  using Answer = GlobalExclusionSupport::Answer;
  if (intents.empty() || support.answer == Answer::yes) return std::vector<Finding>{};
  if (support.answer == Answer::unknown) return NotRun{support.text};
  return finding_for(intents, support.answer == Answer::no ? FindingSeverity::medium : FindingSeverity::low,
                     "could be carried over, but " + support.text + ".",
                     "Update the agent before the switch; until then write no global exclusion.");
}

CheckOutcome dead(const CheckContext& c) {
  return finding_for(
      select(c,
             [](const auto& intent) { return intent.evidence.verdict == ExclusionEvidence::Verdict::dead; }),
      FindingSeverity::info, "that keep nothing out.", "Remove their lines.");
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
    {"EXC004", "Dangerous exclusions",
     "An entry for a shell, an interpreter, a system folder, or anything that others than root can change "
     "gives an intruder a place where nothing is seen.",
     has_exclusions, dangerous},
    {"EXC005", "Agent too old for global exclusions", "Global exclusions came with a later build than eBPF.",
     has_exclusions, agent_too_old},
    {"EXC006", "Exclusions that keep nothing out",
     "A wrong condition, a path that is gone, a rule asked earlier: such exclusions never did what they say.",
     has_exclusions, dead},
};

}  // namespace

std::span<const Check> exclusion_checks() { return kChecks; }

}  // namespace auditshift::migrate
