// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_semantics.h"

#include <libaudit.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "migrate/matching.h"

namespace auditshift::migrate {
namespace {

using auditd::Field;
using auditd::Filter;
using auditd::Op;
using About = IntentGroup::About;

const PathFacts* facts_of(const Facts& facts, const std::string& path) {
  const auto known = facts.paths.find(path);
  return known == facts.paths.end() ? nullptr : &known->second;
}

std::string place_of(const InventoryRule& rule) {
  if (rule.origin.file.empty()) return "a rule in the kernel";
  return rule.origin.file + ":" + std::to_string(rule.origin.line);
}

/// Classes of which an entry of this kind keeps something out.
std::vector<EventClass> classes_of_entry(About about) {
  if (about != About::process)
    return {EventClass::open, EventClass::file_change, EventClass::permission, EventClass::attribute};
  std::vector<EventClass> all;
  all.reserve(static_cast<std::size_t>(EventClass::other));
  for (int i = 0; i < static_cast<int>(EventClass::other); ++i) all.push_back(static_cast<EventClass>(i));
  return all;
}

void compare_calls(const Facts& facts, const IntentGroup& group, Difference& difference) {
  if (keeps_out_every_call(group)) return;
  std::vector<std::string> names;
  for (const EventClass event_class : classes_only_in_entry(facts, group))
    names.emplace_back(to_string(event_class));
  difference.only_entry.push_back(names.empty() ? "system calls of the other ABI"
                                                : "system calls that the rules do not name (" +
                                                      base::join(names, ", ") + ")");
}

void compare_order(const Facts& facts, const RuleOrder& order, const IntentGroup& group,
                   Difference& difference) {
  std::vector<std::string> places;
  for (const InventoryRule* rule : group.rules)
    for (const InventoryRule* before : recorded_before(facts, order, *rule)) {
      const std::string place = place_of(*before);
      if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
    }
  if (places.empty()) return;
  const std::size_t more = places.size() > 3 ? places.size() - 3 : 0;
  places.resize(places.size() - more);
  difference.only_entry.push_back("what rules asked earlier record (" + base::join(places, ", ") +
                                  (more == 0 ? "" : " and " + std::to_string(more) + " more") + ")");
}

/// An entry goes by name in every mount namespace, a rule by inode.
void compare_containers(const Facts& facts, const char* what, Difference& difference) {
  if (!facts.host.container_runtimes.empty())
    difference.only_entry.push_back(std::string(what) + " of the same path in containers (this host has " +
                                    facts.host.container_runtimes.front().file + ")");
}

void compare_program(const Facts& facts, const PathFacts& program, Difference& difference) {
  compare_containers(facts, "programs", difference);
  if (!program.hard_links)
    difference.only_rules.emplace_back("runs of the same file under other names, if it has any");
  else if (*program.hard_links > 1)
    difference.only_rules.push_back("runs of the same file under its " +
                                    base::count_of(*program.hard_links - 1, "other name", "other names"));
}

void compare_folder(const Facts& facts, const PathFacts& folder, Difference& difference) {
  compare_containers(facts, "files", difference);
  if (folder.mounts_below.value_or(true))
    difference.only_entry.emplace_back(folder.mounts_below
                                           ? "files of file systems mounted below it"
                                           : "files of file systems mounted below it, if there are any");
  if (folder.links_out.value_or(true))
    difference.only_entry.emplace_back(folder.links_out
                                           ? "files elsewhere that links below it lead to"
                                           : "files elsewhere that links below it lead to, if there are any");
  difference.only_rules.emplace_back(
      "programs run from there, other calls that give a name, renames across its border, and accesses under "
      "other names");
}

/// A condition that never holds, whatever happens.
std::string impossible(const Facts& facts, const Field& field) {
  if (field.op != Op::equal) return {};
  const bool path = field.id == AUDIT_EXE || field.id == AUDIT_DIR || field.id == AUDIT_WATCH;
  const PathFacts* known = path ? facts_of(facts, field.text) : nullptr;
  if (known == nullptr) return {};
  if (!known->resolved) return field.text + " does not exist on this host";
  if (field.id != AUDIT_EXE) return {};
  if (known->is_link) return field.text + " is a symbolic link, and exe= never matches one";
  if (known->is_directory) return field.text + " is a directory, and exe= takes a program";
  if (known->script.value_or(false))
    return field.text + " is a script; audit sees its interpreter as the program";
  return {};
}

/// Lists that know few conditions: the kernel stops at one it does not know and lets the record pass.
std::string beyond_the_list(const auditd::Rule& rule) {
  static const std::set<std::uint32_t> kKnown = {
      AUDIT_PID,       AUDIT_UID,       AUDIT_GID,      AUDIT_LOGINUID, AUDIT_MSGTYPE, AUDIT_SUBJ_USER,
      AUDIT_SUBJ_ROLE, AUDIT_SUBJ_TYPE, AUDIT_SUBJ_SEN, AUDIT_SUBJ_CLR, AUDIT_EXE};
  if (rule.filter == Filter::task && rule.find(AUDIT_EXE) != nullptr)
    return "exe= never matches on the task list";
  if (rule.filter != Filter::exclude && rule.filter != Filter::user) return {};
  if (rule.fields.empty()) return "without a condition a rule of this list matches nothing";
  for (const Field& field : rule.fields)
    if (!kKnown.contains(field.id))
      return "the kernel does not know " +
             (field.id == AUDIT_FILTERKEY ? std::string("a key") : field_text(field)) + " on the " +
             std::string(to_string(rule.filter)) + " list, and passes the rest of the list over";
  return {};
}

}  // namespace

Translation Difference::translation() const {
  if (!only_entry.empty()) return Translation::broader;
  return only_rules.empty() ? Translation::exact : Translation::narrower;
}

bool keeps_out_every_call(const IntentGroup& group) {
  bool native = false;
  bool compat = false;
  for (const InventoryRule* entry : group.rules) {
    const auditd::Rule& rule = *entry->rule;
    if (!rule.all_syscalls() || rule.find(AUDIT_PERM) != nullptr) continue;
    const std::string_view arch = rule.arch();
    // An arch= that is neither, or arch!=, covers nothing for sure.
    const bool any = rule.find(AUDIT_ARCH) == nullptr;
    native = native || any || arch == "b64";
    compat = compat || any || arch == "b32";
  }
  return native && compat;
}

std::vector<EventClass> classes_only_in_entry(const Facts& facts, const IntentGroup& group) {
  std::vector<EventClass> classes = classes_of_entry(group.about);
  // Told for the native ABI, which nearly all programs use.
  for (const InventoryRule* entry : group.rules) {
    const auditd::Rule& rule = *entry->rule;
    if (rule.find(AUDIT_PERM) != nullptr || (rule.find(AUDIT_ARCH) != nullptr && rule.arch() != "b64"))
      continue;
    const std::vector<EventClass> whole = whole_classes(rule, facts.host.architecture);
    std::erase_if(classes, [&](EventClass event_class) {
      return std::find(whole.begin(), whole.end(), event_class) != whole.end();
    });
  }
  return classes;
}

Difference compare_sets(const Facts& facts, const RuleOrder& order, const IntentGroup& group) {
  Difference difference;
  compare_calls(facts, group, difference);
  compare_order(facts, order, group, difference);
  const PathFacts* target = facts_of(facts, group.path);
  const PathFacts unknown;
  if (target == nullptr) target = &unknown;
  switch (group.about) {
    case About::process:
      compare_program(facts, *target, difference);
      break;
    case About::folder:
      compare_folder(facts, *target, difference);
      break;
    default:
      compare_containers(facts, "files", difference);
      difference.only_rules.emplace_back(
          "running it, other calls that give its name, renames of it, and accesses under other names");
      break;
  }
  const bool any_alive = std::any_of(group.rules.begin(), group.rules.end(), [&](const InventoryRule* rule) {
    return why_dead(facts, order, *rule).empty();
  });
  if (!any_alive)
    difference.only_entry.insert(difference.only_entry.begin(), "everything: the rules keep nothing out");
  return difference;
}

std::string why_dead(const Facts& facts, const RuleOrder& order, const InventoryRule& rule) {
  if (!rule.rule) return {};
  for (const Field& field : rule.rule->fields)
    if (std::string why = impossible(facts, field); !why.empty()) return why;
  if (std::string why = beyond_the_list(*rule.rule); !why.empty()) return why;
  for (const InventoryRule* earlier : order.rules())
    if (earlier->rule->filter == rule.rule->filter && order.precedes(*earlier, rule) &&
        earlier->loaded.value_or(true) && covers(*earlier->rule, *rule.rule))
      return place_of(*earlier) + " is asked before it and takes all that it could match";
  if (!rule.loaded.value_or(true)) return "it is not in the kernel";
  return {};
}

}  // namespace auditshift::migrate
