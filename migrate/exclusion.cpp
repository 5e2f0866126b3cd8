// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion.h"

#include <libaudit.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "migrate/matching.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Filter;
using auditd::Op;
using auditd::Rule;

bool is_label(const Field& field) { return field.id == AUDIT_FILTERKEY || field.id == AUDIT_ARCH; }

std::string field_text(const Field& field) {
  const char* name = audit_field_to_name(static_cast<int>(field.id));
  std::string value = field.text;
  if (field.text.empty()) {
    const char* type =
        field.id == AUDIT_MSGTYPE ? audit_msg_type_to_name(static_cast<int>(field.value)) : nullptr;
    value = type != nullptr              ? type
            : field.value == 0xffffffffU ? "unset"
            : field.id == AUDIT_EXIT && field.value > 0x80000000U
                ? std::to_string(static_cast<std::int32_t>(field.value))
                : std::to_string(field.value);
  }
  return std::string(name != nullptr ? name : "field" + std::to_string(field.id)) +
         std::string(to_string(field.op)) + value;
}

/// The conditions that say whom or what an exclusion is about; arch and keys are not among them.
std::vector<const Field*> subject_fields(const Rule& rule) {
  std::vector<const Field*> fields;
  for (const Field& field : rule.fields)
    if (!is_label(field) && field.id != AUDIT_PERM) fields.push_back(&field);
  return fields;
}

/// Lines with the same list and the same subject belong together: the support tool writes three for one
/// executable, people write one for each ABI. Rules about syscalls alone share their syscalls' names.
std::string intent_key(const Rule& rule, std::string_view machine) {
  std::vector<std::string> parts;
  for (const Field* field : subject_fields(rule)) parts.push_back(field_text(*field));
  std::sort(parts.begin(), parts.end());
  if (rule.filter == Filter::exit && parts.empty()) parts = syscall_names(rule, machine);
  return std::string(to_string(rule.filter)) + (parts.empty() ? "" : " ") + base::join(parts, " ");
}

struct Group {
  std::string key;
  std::vector<const InventoryRule*> rules;
};

std::vector<Group> group_intents(const Facts& facts, const std::vector<InventoryRule>& inventory) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> by_key;
  for (const InventoryRule& entry : inventory) {
    if (!entry.valid || !entry.rule || !excludes(*entry.rule) || entry.rule->verb == auditd::RuleVerb::remove)
      continue;
    const std::string key = intent_key(*entry.rule, facts.host.architecture);
    const auto [at, added] = by_key.emplace(key, groups.size());
    if (added) groups.push_back({key, {}});
    groups[at->second].rules.push_back(&entry);
  }
  return groups;
}

/// True when the group's lines together name every syscall of every ABI of the host, and no permission
/// filter.
bool mutes_every_syscall(const Group& group) {
  bool native = false;
  bool compat = false;
  for (const InventoryRule* entry : group.rules) {
    const Rule& rule = *entry->rule;
    if (!rule.all_syscalls() || rule.find(AUDIT_PERM) != nullptr) continue;
    const std::string_view arch = rule.arch();
    native = native || arch != "b32";
    compat = compat || arch != "b64";
  }
  return native && compat;
}

/// What a Defender global exclusion takes away beside the events (vendor page on exclusions for Linux).
std::vector<std::string> protection_impact(const Facts& facts) {
  if (facts.agent.kind != AgentKind::mdatp) return {};
  return {"antivirus real-time protection", "behaviour monitoring", "endpoint detection and response"};
}

bool has_wildcard(std::string_view path) { return path.find_first_of("*?[") != std::string_view::npos; }

class Translator {
 public:
  Translator(const Facts& facts, const std::vector<InventoryRule>& inventory)
      : facts_(facts), inventory_(inventory) {}

  ExclusionIntent translate(const Group& group) const {
    ExclusionIntent intent;
    for (const InventoryRule* entry : group.rules)
      intent.sources.push_back({entry->origin.file, entry->origin.line, entry->text});
    intent.serves_user_rules = serves_user_rules(group);
    const Rule& first = *group.rules.front()->rule;
    const std::vector<const Field*> subject = subject_fields(first);
    if (first.filter != Filter::exit) {
      outside_exit_list(first, subject, intent);
    } else if (subject.empty()) {
      syscalls_only(first, intent);
    } else if (subject.size() > 1) {
      several_conditions(subject, intent);
    } else {
      one_condition(group, *subject.front(), intent);
    }
    if (intent.id.empty()) intent.id = group.key;
    advise(intent);
    return intent;
  }

 private:
  void outside_exit_list(const Rule& rule, const std::vector<const Field*>& subject,
                         ExclusionIntent& intent) const {
    std::vector<std::string> conditions;
    for (const Field* field : subject) conditions.push_back(field_text(*field));
    const std::string what = base::join(conditions, " and ");
    switch (rule.filter) {
      case Filter::exclude:
        intent.intent = "keep audit records out by " + (what.empty() ? "an empty condition" : what);
        intent.reason = "eBPF events have no record types; there is nothing to exclude";
        break;
      case Filter::task:
        intent.intent = "make no syscall records for new processes" + (what.empty() ? "" : " with " + what);
        intent.reason = "it silences audit as a whole; eBPF sensors do not take their events from audit";
        break;
      case Filter::user:
        intent.intent = "keep messages of user space out" + (what.empty() ? "" : " by " + what);
        intent.reason = "messages of user space stay in auditd and never reach an eBPF sensor";
        break;
      default:
        intent.intent = "keep events of the " + std::string(to_string(rule.filter)) + " list out" +
                        (what.empty() ? "" : " by " + what);
        intent.reason = "global exclusions know processes, folders and files only";
        break;
    }
  }

  void syscalls_only(const Rule& rule, ExclusionIntent& intent) const {
    const std::vector<std::string> names = syscall_names(rule, facts_.host.architecture);
    intent.intent =
        "keep out " + (names.empty() ? "every syscall" : base::join(names, ", ")) + " of every process";
    intent.reason = "global exclusions cannot name syscalls";
  }

  void several_conditions(const std::vector<const Field*>& subject, ExclusionIntent& intent) const {
    std::vector<std::string> conditions;
    for (const Field* field : subject) conditions.push_back(field_text(*field));
    intent.intent = "keep out events with " + base::join(conditions, " and ");
    intent.reason = "a global exclusion holds one condition; any half of this one alone would keep out more";
  }

  void one_condition(const Group& group, const Field& field, ExclusionIntent& intent) const {
    if (field.op != Op::equal ||
        (field.id != AUDIT_EXE && field.id != AUDIT_DIR && field.id != AUDIT_WATCH)) {
      intent.intent = "keep out events with " + field_text(field);
      intent.reason = field.op == Op::equal ? "global exclusions know processes, folders and files only"
                                            : "global exclusions cannot say \"all but\" or compare numbers";
      return;
    }
    const auto kind = field.id == AUDIT_EXE   ? ManagedExclusion::Kind::process_path
                      : field.id == AUDIT_DIR ? ManagedExclusion::Kind::folder
                                              : ManagedExclusion::Kind::file;
    intent.id = std::string(to_string(kind)) + ":" + field.text;
    intent.intent =
        kind == ManagedExclusion::Kind::process_path ? "keep out what the program " + field.text + " does"
        : kind == ManagedExclusion::Kind::folder     ? "keep out accesses to everything below " + field.text
                                                     : "keep out accesses to the file " + field.text;
    make_entry(group, field.text, kind, intent);
  }

  void make_entry(const Group& group, const std::string& path, ManagedExclusion::Kind kind,
                  ExclusionIntent& intent) const {
    if (has_wildcard(path)) {
      intent.reason =
          "global exclusions take no wildcards, and in the audit rule the characters stood for themselves";
      return;
    }
    const auto resolved = facts_.resolved_paths.find(path);
    if (resolved == facts_.resolved_paths.end() || !resolved->second) {
      intent.reason = path + " does not exist on this host, so the rule keeps nothing out today";
      return;
    }
    if (*resolved->second != path) intent.reason = path + " leads to " + *resolved->second + "; ";
    ManagedExclusion entry;
    entry.kind = kind;
    entry.value = *resolved->second;
    entry.scopes = {"global"};
    entry.section = "exclusionSettings";
    intent.entry = entry;
    intent.result = mutes_every_syscall(group) ? Translation::exact : Translation::broader;
    intent.reason += intent.result == Translation::exact
                         ? "the rules keep out every syscall, as the entry does"
                         : "the rules keep out some kinds of events, the entry all of them";
    intent.protection_impact = protection_impact(facts_);
    intent.consent_needed = intent.result == Translation::broader || !intent.protection_impact.empty();
  }

  bool serves_user_rules(const Group& group) const {
    for (const InventoryRule* exclusion : group.rules) {
      // Only user rules evaluated after it are quieted; the inventory is in the loader's order.
      for (const InventoryRule* later = exclusion + 1; later < inventory_.data() + inventory_.size();
           ++later) {
        if (later->owner == Owner::user && later->rule && later->valid &&
            may_overlap(*exclusion->rule, *later->rule))
          return true;
      }
    }
    return false;
  }

  bool already_managed(const ManagedExclusion& entry) const {
    return std::any_of(facts_.agent.managed.exclusions.begin(), facts_.agent.managed.exclusions.end(),
                       [&](const ManagedExclusion& known) {
                         return known.kind == entry.kind && known.value == entry.value && known.global();
                       });
  }

  void advise(ExclusionIntent& intent) const {
    if (intent.entry && already_managed(*intent.entry)) {
      intent.consent_needed = false;
      intent.recommended = "nothing to do: the managed configuration has this global exclusion already";
    } else if (intent.consent_needed) {
      intent.recommended =
          "leave it out and watch the sensor's statistics; carry it over only if this load hurts, with "
          "--accept " +
          intent.id;
    } else if (intent.entry) {
      intent.recommended = "carry it over";
    } else {
      intent.recommended = "leave it out: it quieted audit, and the sensor no longer uses audit";
    }
    if (intent.serves_user_rules)
      intent.recommended += "; keep the audit rule, it also quiets rules of your own";
  }

  const Facts& facts_;
  const std::vector<InventoryRule>& inventory_;
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

std::vector<ExclusionIntent> find_exclusions(const Facts& facts,
                                             const std::vector<InventoryRule>& inventory) {
  const Translator translator(facts, inventory);
  std::vector<ExclusionIntent> intents;
  for (const Group& group : group_intents(facts, inventory)) intents.push_back(translator.translate(group));
  return intents;
}

std::vector<std::string> exclusion_targets(const std::vector<InventoryRule>& inventory) {
  std::set<std::string> targets;
  for (const InventoryRule& entry : inventory) {
    if (!entry.rule || !excludes(*entry.rule)) continue;
    for (const Field& field : entry.rule->fields)
      if (field.id == AUDIT_EXE || field.id == AUDIT_DIR || field.id == AUDIT_WATCH)
        targets.insert(field.text);
  }
  return {targets.begin(), targets.end()};
}

}  // namespace auditshift::migrate
