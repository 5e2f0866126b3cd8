// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion.h"

#include <libaudit.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "migrate/exclusion_dangers.h"
#include "migrate/exclusion_evidence.h"
#include "migrate/exclusion_intents.h"
#include "migrate/exclusion_semantics.h"
#include "migrate/exclusion_untranslatable.h"

namespace auditshift::migrate {
namespace {

using About = IntentGroup::About;
using Kind = ManagedExclusion::Kind;

Kind kind_of(About about) {
  return about == About::process ? Kind::process_path : about == About::folder ? Kind::folder : Kind::file;
}

std::string words_of(const IntentGroup& group) {
  switch (group.about) {
    case About::process:
      return "keep out what the program " + group.path + " does";
    case About::folder:
      return "keep out accesses to everything below " + group.path;
    default:
      return "keep out accesses to the file " + group.path;
  }
}

/// Programs lie in directories of such names; people take dir= for "programs from there".
bool looks_like_program_folder(std::string_view path) {
  return path.ends_with("/bin") || path.ends_with("/sbin") || path.ends_with("/libexec");
}

std::string reason_of(const Difference& difference) {
  std::string reason;
  if (!difference.only_entry.empty())
    reason = "the entry keeps out more: " + base::join(difference.only_entry, "; ");
  if (!difference.only_rules.empty())
    reason += (reason.empty() ? "the rules also kept out: " : ". The rules also kept out: ") +
              base::join(difference.only_rules, "; ");
  return reason.empty() ? "both keep out every system call of this program and nothing else" : reason;
}

class Translator {
 public:
  Translator(const Facts& facts, const std::vector<InventoryRule>& inventory)
      : facts_(facts), order_(inventory) {}

  ExclusionIntent translate(const IntentGroup& group) const {
    ExclusionIntent intent;
    intent.id = group.id;
    for (const InventoryRule* entry : group.rules) {
      intent.sources.push_back({entry->origin.file, entry->origin.line, entry->text});
      intent.serves_user_rules =
          intent.serves_user_rules || (entry->rule && serves_user_rules(facts_, order_, *entry));
    }
    intent.evidence = judge_need(facts_, order_, group);
    // What is on disk but not in the kernel keeps nothing out now, and may from the next boot on.
    const bool comes_with_a_boot = std::any_of(
        group.rules.begin(), group.rules.end(),
        [](const InventoryRule* entry) { return entry->valid && entry->loaded == std::optional(false); });
    if (intent.evidence.verdict == ExclusionEvidence::Verdict::dead && !comes_with_a_boot)
      intent.serves_user_rules = false;
    if (group.path.empty())
      explain_untranslatable(facts_, group, intent);
    else
      make_entry(group, intent);
    recommend(intent);
    return intent;
  }

 private:
  void make_entry(const IntentGroup& group, ExclusionIntent& intent) const {
    intent.intent = words_of(group);
    const auto known = facts_.paths.find(group.path);
    if (group.path.find_first_of("*?[") != std::string::npos) {
      intent.reason =
          "global exclusions take no wildcards, and in the audit rule the characters stood for themselves";
      intent.advice = "name the paths that are meant, one entry each";
    } else if (known == facts_.paths.end() || !known->second.resolved) {
      intent.reason = group.path + " does not exist on this host, so the rule keeps nothing out today";
      intent.advice = "remove the rule";
    } else if (known->second.is_directory != (group.about == About::folder)) {
      intent.reason =
          group.path + (known->second.is_directory ? " is a directory here, and the rule takes a file"
                                                   : " is no directory here");
      intent.advice = "write the entry that is meant with `auditshift exclusions add`";
    } else {
      compare(group, known->second, intent);
    }
  }

  void compare(const IntentGroup& group, const PathFacts& target, ExclusionIntent& intent) const {
    ManagedExclusion entry;
    entry.kind = kind_of(group.about);
    entry.value = *target.resolved;
    entry.scopes = {"global"};
    entry.section = "exclusionSettings";
    const Difference difference = compare_sets(facts_, order_, group);
    intent.result = difference.translation();
    if (entry.value != group.path) intent.reason = group.path + " leads to " + entry.value + "; ";
    intent.reason += reason_of(difference);
    if (group.about == About::folder && looks_like_program_folder(group.path))
      intent.advice =
          "dir= is about files that are accessed there, not about what the programs there do; if those were "
          "meant, exclude the busy one as a process";
    intent.blinded = count_blinded(facts_, group, classes_only_in_entry(facts_, group));
    intent.dangers = dangers_of(entry, &target);
    intent.protection_impact = protection_impact(facts_.agent);
    intent.already_managed = facts_.agent.managed.has_global(entry);
    intent.entry = std::move(entry);
    intent.supported = global_exclusion_support(facts_.agent).answer != GlobalExclusionSupport::Answer::no;
    intent.consent_needed =
        !intent.already_managed && (!intent.supported || intent.result == Translation::broader ||
                                    !intent.dangers.empty() || !intent.protection_impact.empty());
  }

  static void recommend(ExclusionIntent& intent) {
    using Verdict = ExclusionEvidence::Verdict;
    const Verdict verdict = intent.evidence.verdict;
    if (intent.already_managed)
      intent.recommended = "nothing to do: the managed configuration has this global exclusion already";
    else if (verdict == Verdict::dead)
      intent.recommended = "drop it: it keeps nothing out";
    else if (!intent.entry)
      intent.recommended = "leave it out: it quieted audit, and the sensor no longer uses audit";
    else if (!intent.supported)
      intent.recommended =
          "update the agent before the switch, this build knows no global exclusions; or leave it out";
    else if (!intent.dangers.empty())
      intent.recommended =
          "do not carry it over: it would hide an intruder. Only --accept " + intent.id + " makes the entry";
    else if (intent.consent_needed)
      intent.recommended =
          std::string(verdict == Verdict::candidate
                          ? "a candidate: carry it over if the sensor's statistics show this "
                            "load too, with --accept "
                          : "leave it out and watch the sensor's statistics; carry it over only "
                            "if this load hurts, with --accept ") +
          intent.id;
    else
      intent.recommended = "carry it over";
    if (!intent.entry && !intent.advice.empty() && verdict != Verdict::dead)
      intent.recommended += "; " + intent.advice;
    if (intent.serves_user_rules)
      intent.recommended += "; keep the audit rule, it also quiets what is recorded for you";
  }

  const Facts& facts_;
  RuleOrder order_;
};

}  // namespace

std::string_view to_string(Translation translation) {
  switch (translation) {
    case Translation::exact:
      return "exact";
    case Translation::broader:
      return "broader";
    case Translation::narrower:
      return "narrower";
    case Translation::none:
      return "none";
  }
  return "unknown";
}

std::string_view to_string(ExclusionEvidence::Verdict verdict) {
  switch (verdict) {
    case ExclusionEvidence::Verdict::unknown:
      return "unknown";
    case ExclusionEvidence::Verdict::dead:
      return "dead";
    case ExclusionEvidence::Verdict::drop:
      return "drop";
    case ExclusionEvidence::Verdict::candidate:
      return "candidate";
  }
  return "unknown";
}

bool ExclusionIntent::carried_over() const {
  if (!entry || already_managed || consent_needed) return false;
  return accepted || evidence.verdict != ExclusionEvidence::Verdict::dead;
}

std::vector<ExclusionIntent> find_exclusions(const Facts& facts,
                                             const std::vector<InventoryRule>& inventory) {
  const Translator translator(facts, inventory);
  std::vector<ExclusionIntent> intents;
  for (const IntentGroup& group : group_intents(facts, inventory))
    intents.push_back(translator.translate(group));
  return intents;
}

void accept_exclusions(std::vector<ExclusionIntent>& intents, const std::set<std::string>& ids) {
  for (ExclusionIntent& intent : intents) {
    if (!ids.contains(intent.id) || !intent.entry || !intent.consent_needed || !intent.supported) continue;
    intent.consent_needed = false;
    intent.accepted = true;
    intent.recommended = "carry it over: accepted";
    if (intent.serves_user_rules)
      intent.recommended += "; keep the audit rule, it also quiets what is recorded for you";
  }
}

std::vector<std::string> exclusion_targets(const std::vector<InventoryRule>& inventory) {
  std::set<std::string> targets;
  for (const InventoryRule& entry : inventory) {
    if (!entry.rule) continue;
    for (const auditd::Field& field : entry.rule->fields)
      if (field.id == AUDIT_EXE ||
          (excludes(*entry.rule) && (field.id == AUDIT_DIR || field.id == AUDIT_WATCH)))
        targets.insert(field.text);
  }
  return {targets.begin(), targets.end()};
}

GlobalExclusionSupport global_exclusion_support(const AgentFacts& agent) {
  using Answer = GlobalExclusionSupport::Answer;
  if (agent.kind != AgentKind::mdatp) return {Answer::yes, "this project's sensor has global exclusions"};
  if (!agent.build) return {Answer::unknown, "the agent's build is unknown"};
  const std::string build = "build " + agent.build->to_string();
  if (*agent.build >= kGlobalExclusions) return {Answer::yes, build + " has global exclusions"};
  const std::string needed = "; they came with " + kGlobalExclusions.to_string();
  if (*agent.build >= kGlobalExclusionsPreview)
    return {Answer::preview, build + " has global exclusions as a preview" + needed};
  return {Answer::no, build + " knows no global exclusions" + needed};
}

std::vector<std::string> protection_impact(const AgentFacts& agent) {
  if (agent.kind != AgentKind::mdatp) return {};
  // The vendor's page on exclusions for Linux: the item becomes invisible.
  return {"antivirus real-time protection", "behaviour monitoring", "endpoint detection and response"};
}

}  // namespace auditshift::migrate
