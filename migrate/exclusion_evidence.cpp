// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_evidence.h"

#include <libaudit.h>

#include <algorithm>

#include "base/text.h"
#include "migrate/exclusion_semantics.h"

namespace auditshift::migrate {
namespace {

using About = IntentGroup::About;

/// From so many events a day on, an exclusion may be there for the load.
constexpr std::uint64_t kBusy = 100'000;

/// The program's path as log records have it: where the kernel found it.
std::string program_of(const Facts& facts, const IntentGroup& group) {
  const auto known = facts.paths.find(group.path);
  return known != facts.paths.end() && known->second.resolved ? *known->second.resolved : group.path;
}

bool in_mask(const auditd::Rule& rule, const auditd::EventClass& event) {
  if (event.syscall < 0 || !rule.has_syscall(static_cast<unsigned>(event.syscall))) return false;
  const std::string_view arch = rule.arch();
  return arch.empty() || event.arch == 0 || (arch == "b64") == ((event.arch & __AUDIT_ARCH_64BIT) != 0);
}

/// Events of the log that the rules' system calls cover, and how many of them the rules would take.
struct Share {
  std::uint64_t taken = 0;
  std::uint64_t all = 0;
};

Share share_of(const Facts& facts, const IntentGroup& group) {
  const std::string program = group.about == About::process ? program_of(facts, group) : std::string();
  Share share;
  for (const auto& logged : facts.log.classes) {
    const auditd::EventClass& event = logged.first;
    const auditd::Volume& volume = logged.second;
    const bool covered = std::any_of(group.rules.begin(), group.rules.end(), [&](const InventoryRule* entry) {
      return in_mask(*entry->rule, event);
    });
    if (!covered) continue;
    share.all += volume.events;
    if (group.about == About::syscalls || event.executable == program) share.taken += volume.events;
  }
  return share;
}

std::string dead_reason(const Facts& facts, const RuleOrder& order, const IntentGroup& group) {
  std::string first;
  for (const InventoryRule* rule : group.rules) {
    const std::string why = why_dead(facts, order, *rule);
    if (why.empty()) return {};
    if (first.empty()) first = why;
  }
  return first;
}

}  // namespace

ExclusionEvidence judge_need(const Facts& facts, const RuleOrder& order, const IntentGroup& group) {
  using Verdict = ExclusionEvidence::Verdict;
  if (group.about == About::control)
    return {Verdict::drop, "it kept audit's own volume or errors down, and the sensor uses no audit"};
  if (const std::string why = dead_reason(facts, order, group); !why.empty()) return {Verdict::dead, why};
  if (group.about == About::other_list) return {Verdict::drop, "it only changes what audit itself writes"};
  if (group.about != About::process && group.about != About::syscalls)
    return {Verdict::unknown, "the audit log does not tell which events such a rule would take"};
  if (!facts.log_known || facts.log.days == 0) return {Verdict::unknown, "there is no audit log to tell"};
  const Share share = share_of(facts, group);
  if (share.taken == 0)
    return {Verdict::unknown, "what it keeps out is not in the log, nor is anything of it from before"};
  const std::uint64_t per_day = share.taken / facts.log.days;
  const std::string seen = "of " + base::with_thousands(share.all / facts.log.days) +
                           " events a day of these system calls in the log, " +
                           base::with_thousands(per_day) +
                           (group.about == About::process ? " are of this program" : " would be taken");
  if (per_day >= kBusy && share.taken * 2 > share.all) return {Verdict::candidate, seen};
  return {Verdict::drop, seen + ": log volume, which eBPF does not have"};
}

std::vector<BlindedClass> count_blinded(const Facts& facts, const IntentGroup& group,
                                        const std::vector<EventClass>& classes) {
  std::vector<BlindedClass> blinded;
  const bool countable = group.about == About::process && facts.log_known && facts.log.days != 0;
  const std::string program = countable ? program_of(facts, group) : std::string();
  std::map<EventClass, std::uint64_t> events;
  for (const auto& [event, volume] : facts.log.classes) {
    if (!countable || event.syscall < 0 || event.executable != program) continue;
    const int table = audit_elf_to_machine(event.arch);
    const char* name = table < 0 ? nullptr : audit_syscall_to_name(event.syscall, table);
    if (name != nullptr) events[class_of(name)] += volume.events;
  }
  blinded.reserve(classes.size());
  for (const EventClass event_class : classes)
    blinded.push_back(
        {event_class, countable ? std::optional(events[event_class] / facts.log.days) : std::nullopt});
  return blinded;
}

}  // namespace auditshift::migrate
