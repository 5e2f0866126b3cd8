// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "migrate/inventory.h"

namespace auditshift::migrate {

/// The order in which the kernel asks the rules of one list: the first that matches decides. Rules written
/// with -A stand before all others, the last written first. A rule that is only in the kernel has no known
/// place.
class RuleOrder {
 public:
  /// Only rules that load: valid, and no -d or -W. `inventory` must outlive this.
  explicit RuleOrder(const std::vector<InventoryRule>& inventory);

  /// Could `a` be asked before `b`? True for what cannot be told. REQUIRES: both are of the inventory.
  bool may_precede(const InventoryRule& a, const InventoryRule& b) const;
  /// Is `a` surely asked before `b`?
  bool precedes(const InventoryRule& a, const InventoryRule& b) const;

  const std::vector<const InventoryRule*>& rules() const { return rules_; }

 private:
  long place_of(const InventoryRule& rule) const;

  const InventoryRule* first_ = nullptr;
  std::vector<const InventoryRule*> rules_;
};

/// True when events that `exclusion` keeps out could otherwise be recorded for the user: by a rule of their
/// own that is asked after it, or as messages and records that no rule makes. True for what cannot be told.
bool serves_user_rules(const Facts& facts, const RuleOrder& order, const InventoryRule& exclusion);

/// Rules that record, are asked before `exclusion`, and could take events from it.
std::vector<const InventoryRule*> recorded_before(const Facts& facts, const RuleOrder& order,
                                                  const InventoryRule& exclusion);

}  // namespace auditshift::migrate
