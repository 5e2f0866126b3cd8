// SPDX-License-Identifier: Apache-2.0
#include "migrate/exclusion_intents.h"

#include <libaudit.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

using auditd::ControlKind;
using auditd::Field;
using auditd::Filter;
using auditd::Op;
using auditd::Rule;
using About = IntentGroup::About;

/// The one path a rule is about, when it is about nothing else.
const Field* only_path(const std::vector<const Field*>& subject) {
  if (subject.size() != 1 || subject.front()->op != Op::equal) return nullptr;
  const std::uint32_t id = subject.front()->id;
  return id == AUDIT_EXE || id == AUDIT_DIR || id == AUDIT_WATCH ? subject.front() : nullptr;
}

std::string_view prefix_of(About about) {
  return about == About::process ? "process:" : about == About::folder ? "folder:" : "file:";
}

class Grouper {
 public:
  explicit Grouper(const Facts& facts) : facts_(facts) {}

  void add(const InventoryRule& entry) {
    if (!entry.valid) return;
    if (!entry.rule) {
      add_controls(entry);
      return;
    }
    if (!excludes(*entry.rule) || entry.rule->verb == auditd::RuleVerb::remove) return;
    const std::vector<const Field*> subject = subject_fields(*entry.rule);
    if (entry.rule->filter != Filter::exit) {
      join(About::other_list, to_string(entry.rule->filter), subject, entry);
    } else if (subject.empty()) {
      add_syscalls(entry);
    } else if (const Field* path = only_path(subject)) {
      add_path(*path, entry);
    } else {
      join(About::conditions, "exit", subject, entry);
    }
  }

  std::vector<IntentGroup> take() {
    for (IntentGroup& group : groups_)
      if (group.about == About::syscalls) group.id = syscalls_id(group);
    return std::move(groups_);
  }

 private:
  IntentGroup& group(About about, const std::string& id, const InventoryRule& entry) {
    const auto [at, added] = by_id_.emplace(id, groups_.size());
    if (added) groups_.push_back({about, id, {}, {}});
    groups_[at->second].rules.push_back(&entry);
    return groups_[at->second];
  }

  void join(About about, std::string_view list, const std::vector<const Field*>& subject,
            const InventoryRule& entry) {
    std::vector<std::string> parts;
    parts.reserve(subject.size());
    for (const Field* field : subject) parts.push_back(field_text(*field));
    std::sort(parts.begin(), parts.end());
    group(about, std::string(list) + (parts.empty() ? "" : " ") + base::join(parts, " "), entry);
  }

  /// Two spellings of one path (links, a slash at the end) are one intent.
  void add_path(const Field& field, const InventoryRule& entry) {
    const About about = field.id == AUDIT_EXE   ? About::process
                        : field.id == AUDIT_DIR ? About::folder
                                                : About::file;
    std::string path = field.text;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const auto known = facts_.paths.find(field.text);
    const bool leads = known != facts_.paths.end() && known->second.resolved;
    IntentGroup& joined =
        group(about, std::string(prefix_of(about)) + (leads ? *known->second.resolved : path), entry);
    if (joined.path.empty()) joined.path = field.text;
  }

  void add_syscalls(const InventoryRule& entry) {
    const std::string key = base::join(entry.rule->keys(), " ");
    const InventoryRule* previous = groups_.empty() ? nullptr : groups_.back().rules.back();
    const bool follows = previous != nullptr && groups_.back().about == About::syscalls &&
                         previous->origin.file == entry.origin.file &&
                         previous->origin.line + 1 == entry.origin.line &&
                         base::join(previous->rule->keys(), " ") == key;
    // The support tool gives every line the same key, whatever it is about.
    if (!key.empty() && key != "exclude")
      group(About::syscalls, "key " + key, entry);
    else if (follows)
      groups_.back().rules.push_back(&entry);
    else
      group(About::syscalls, "line " + std::to_string(++unnamed_), entry);
  }

  std::string syscalls_id(const IntentGroup& of) const {
    std::set<std::string> names;
    for (const InventoryRule* entry : of.rules) {
      const auto of_rule = syscall_names(*entry->rule, facts_.host.architecture);
      if (of_rule.empty()) return "exit every syscall";
      names.insert(of_rule.begin(), of_rule.end());
    }
    return "exit " + base::join({names.begin(), names.end()}, ",");
  }

  /// A limit that was taken back (-r 0) keeps nothing out.
  void add_controls(const InventoryRule& entry) {
    for (const auditd::Control& control : entry.controls) {
      if (control.kind == ControlKind::rate_limit && control.number != 0)
        group(About::control, "rate-limit", entry);
      if (control.kind == ControlKind::continue_on_error || control.kind == ControlKind::ignore_errors)
        group(About::control, "skip-faulty-rules", entry);
    }
  }

  const Facts& facts_;
  std::vector<IntentGroup> groups_;
  std::map<std::string, std::size_t> by_id_;
  std::size_t unnamed_ = 0;
};

}  // namespace

std::vector<const Field*> subject_fields(const Rule& rule) {
  std::vector<const Field*> fields;
  for (const Field& field : rule.fields)
    if (field.id != AUDIT_FILTERKEY && field.id != AUDIT_ARCH && field.id != AUDIT_PERM)
      fields.push_back(&field);
  return fields;
}

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

std::vector<IntentGroup> group_intents(const Facts& facts, const std::vector<InventoryRule>& inventory) {
  Grouper grouper(facts);
  for (const InventoryRule& entry : inventory) grouper.add(entry);
  return grouper.take();
}

}  // namespace auditshift::migrate
