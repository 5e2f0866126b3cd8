// SPDX-License-Identifier: Apache-2.0
#include "migrate/rule_order.h"

#include <algorithm>

#include "migrate/matching.h"

namespace auditshift::migrate {
namespace {

using auditd::Filter;

bool records(const InventoryRule& rule) {
  return rule.rule->action != auditd::Action::never && rule.rule->filter != Filter::exclude;
}

bool overlap(const Facts& facts, const InventoryRule& a, const InventoryRule& b) {
  return may_overlap(*a.rule, *b.rule, [&](const std::string& x, const std::string& y) {
    return surely_different(facts.paths, x, y);
  });
}

}  // namespace

RuleOrder::RuleOrder(const std::vector<InventoryRule>& inventory) : first_(inventory.data()) {
  for (const InventoryRule& rule : inventory)
    if (rule.valid && rule.rule && rule.rule->verb != auditd::RuleVerb::remove) rules_.push_back(&rule);
}

long RuleOrder::place_of(const InventoryRule& rule) const {
  const long written = &rule - first_ + 1;
  return rule.rule->verb == auditd::RuleVerb::prepend ? -written : written;
}

bool RuleOrder::may_precede(const InventoryRule& a, const InventoryRule& b) const {
  return a.place == Place::kernel || b.place == Place::kernel || place_of(a) < place_of(b);
}

bool RuleOrder::precedes(const InventoryRule& a, const InventoryRule& b) const {
  return a.place != Place::kernel && b.place != Place::kernel && place_of(a) < place_of(b);
}

bool serves_user_rules(const Facts& facts, const RuleOrder& order, const InventoryRule& exclusion) {
  const Filter list = exclusion.rule->filter;
  // The records of these lists come from programs and from the kernel itself, whatever rules there are.
  if (list == Filter::exclude || list == Filter::user) return true;
  return std::any_of(order.rules().begin(), order.rules().end(), [&](const InventoryRule* rule) {
    if (rule->owner != Owner::user || !records(*rule)) return false;
    if (list == Filter::task || list == Filter::filesystem)
      return rule->rule->filter == Filter::exit || rule->rule->filter == Filter::task;
    return order.may_precede(exclusion, *rule) && overlap(facts, exclusion, *rule);
  });
}

std::vector<const InventoryRule*> recorded_before(const Facts& facts, const RuleOrder& order,
                                                  const InventoryRule& exclusion) {
  std::vector<const InventoryRule*> before;
  for (const InventoryRule* rule : order.rules())
    if (rule != &exclusion && records(*rule) && order.may_precede(*rule, exclusion) &&
        overlap(facts, *rule, exclusion))
      before.push_back(rule);
  return before;
}

}  // namespace auditshift::migrate
