// SPDX-License-Identifier: Apache-2.0
#include "migrate/inventory.h"

#include <algorithm>
#include <map>
#include <set>

#include "auditd/normalize.h"
#include "base/text.h"
#include "migrate/explain.h"

namespace auditshift::migrate {
namespace {

class InventoryBuilder {
 public:
  explicit InventoryBuilder(const Facts& facts) : facts_(facts) {
    for (const auditd::Rule& rule : facts.audit.live.rules) loaded_.insert(rule.text);
  }

  std::vector<InventoryRule> build() {
    const auditd::Layout& layout = facts_.audit.layout;
    for (const auditd::RuleFile& file : layout.rules_d)
      if (file.read_by_loader) add_file(file, Place::rules_d);
    if (layout.compiled) add_compiled(*layout.compiled);
    add_live_only();
    return std::move(rules_);
  }

 private:
  void add_file(const auditd::RuleFile& file, Place place) {
    const FileRole role = role_of(file);
    for (const auditd::Line& line : file.lines)
      if (line.kind == auditd::LineKind::statement) rules_.push_back(describe(line, role, place));
  }

  /// Lines of audit.rules that came from rules.d are those rules, not further ones.
  void add_compiled(const auditd::RuleFile& file) {
    std::map<std::string, std::vector<std::size_t>, std::less<>> from_rules_d;
    for (std::size_t i = 0; i < rules_.size(); ++i)
      from_rules_d[std::string(base::trim(rules_[i].text))].push_back(i);
    for (const auditd::Line& line : file.lines) {
      if (line.kind != auditd::LineKind::statement) continue;
      const auto known = from_rules_d.find(base::trim(line.text));
      if (known == from_rules_d.end()) {
        rules_.push_back(describe(line, FileRole::ordinary, Place::compiled));
        continue;
      }
      for (const std::size_t i : known->second) rules_[i].compiled = true;
      known->second.clear();  // a line that stands there many times marks them once
    }
  }

  void add_live_only() {
    std::set<std::string, std::less<>> on_disk;
    for (const InventoryRule& entry : rules_)
      if (entry.rule && entry.rule->verb != auditd::RuleVerb::remove) on_disk.insert(entry.normalized);
    for (const auditd::Rule& rule : facts_.audit.live.rules) {
      if (on_disk.contains(rule.text)) continue;
      InventoryRule entry;
      entry.place = Place::kernel;
      entry.text = rule.text;
      entry.normalized = rule.text;
      entry.rule = rule;
      entry.owner = owner_of(rule, FileRole::ordinary);
      entry.loaded = true;
      judge(entry);
      rules_.push_back(std::move(entry));
    }
  }

  InventoryRule describe(const auditd::Line& line, FileRole role, Place place) {
    InventoryRule entry;
    entry.place = place;
    entry.origin = line.origin;
    entry.text = line.text;
    entry.file_role = role;
    entry.diagnostics = line.diagnostics;
    entry.valid = line.valid();
    entry.rule = line.rule;
    entry.controls = line.controls;
    for (const auditd::Diagnostic& diagnostic : line.diagnostics) {
      if (diagnostic.severity == auditd::Severity::error) {
        entry.error = diagnostic.message;
        break;
      }
    }
    if (line.rule) {
      entry.owner = owner_of(*line.rule, role);
      if (entry.valid)
        entry.normalized = auditd::normalize(*line.rule, facts_.audit.version, facts_.host.architecture);
    } else if (!line.controls.empty()) {
      entry.owner = owner_of(line.controls.front(), role);
    } else {
      entry.owner = role == FileRole::defender_rules || role == FileRole::defender_managed ? Owner::defender
                                                                                           : Owner::user;
    }
    if (entry.valid && entry.rule && facts_.audit.live.known)
      entry.loaded = loaded_.contains(entry.normalized);
    judge(entry);
    return entry;
  }

  void judge(InventoryRule& entry) const {
    if (!entry.valid) {
      entry.meaning = "not understood: " + entry.error;
      entry.coverage.note = "the line does not load";
      return;
    }
    if (entry.rule) {
      entry.coverage = coverage_of(*entry.rule, facts_.host.architecture);
      entry.meaning = explain(*entry.rule, facts_.host.architecture);
      if (facts_.log_known && !entry.rule->keys().empty())
        entry.volume = auditd::volume_of(*entry.rule, facts_.log);
      return;
    }
    std::vector<std::string> words;
    for (const auditd::Control& control : entry.controls) words.push_back(explain(control));
    entry.meaning = base::join(words, "; ");
    entry.coverage.note = "controls the audit system; records nothing";
  }

  const Facts& facts_;
  std::set<std::string, std::less<>> loaded_;
  std::vector<InventoryRule> rules_;
};

}  // namespace

std::string_view to_string(Place place) {
  switch (place) {
    case Place::rules_d:
      return "rules.d";
    case Place::compiled:
      return "compiled";
    case Place::kernel:
      return "kernel";
  }
  return "unknown";
}

bool is_defender_rule(const InventoryRule& rule) {
  return rule.owner == Owner::defender && (rule.rule || rule.file_role == FileRole::defender_rules);
}

std::vector<InventoryRule> take_inventory(const Facts& facts) { return InventoryBuilder(facts).build(); }

}  // namespace auditshift::migrate
