// SPDX-License-Identifier: Apache-2.0
#include "migrate/check.h"

#include "base/text.h"

namespace auditshift::migrate {

std::string_view to_string(FindingSeverity severity) {
  switch (severity) {
    case FindingSeverity::info:
      return "info";
    case FindingSeverity::low:
      return "low";
    case FindingSeverity::medium:
      return "medium";
    case FindingSeverity::high:
      return "high";
  }
  return "unknown";
}

std::string_view to_string(Blocks blocks) {
  switch (blocks) {
    case Blocks::none:
      return "none";
    case Blocks::overridable:
      return "overridable";
    case Blocks::mandatory:
      return "mandatory";
  }
  return "unknown";
}

std::vector<const Check*> all_checks() {
  std::vector<const Check*> all;
  for (const auto table :
       {audit_checks(), rule_checks(), host_checks(), sensor_checks(), agent_checks(), exclusion_checks()})
    for (const Check& check : table) all.push_back(&check);
  return all;
}

BootLock boot_lock(const Facts& facts) {
  const auditd::BootLoad load = facts.audit.layout.boot_load();
  if (load.lock == nullptr) return {};
  return {true, {load.lock->origin.file, load.lock->origin.line, load.lock->text}};
}

std::vector<const InventoryRule*> defender_rules(const CheckContext& context, Place place) {
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& rule : context.rules)
    if (rule.place == place && is_defender_rule(rule)) found.push_back(&rule);
  return found;
}

std::vector<const InventoryRule*> defender_rules_live(const CheckContext& context) {
  std::vector<const InventoryRule*> found;
  for (const InventoryRule& rule : context.rules)
    if (is_defender_rule(rule) && rule.rule && rule.loaded.value_or(false)) found.push_back(&rule);
  return found;
}

std::vector<Evidence> evidence_of(const std::vector<const InventoryRule*>& rules, std::size_t limit) {
  std::vector<Evidence> evidence;
  for (const InventoryRule* rule : rules) {
    if (evidence.size() == limit) {
      evidence.push_back({"", 0, "and " + base::with_thousands(rules.size() - limit) + " more"});
      break;
    }
    evidence.push_back({rule->origin.file, rule->origin.line, rule->text});
  }
  return evidence;
}

}  // namespace auditshift::migrate
