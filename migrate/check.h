// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "migrate/exclusion.h"
#include "migrate/facts.h"
#include "migrate/finding.h"
#include "migrate/inventory.h"

namespace auditshift::migrate {

/// What a check may look at. Checks judge; they never read the host.
struct CheckContext {
  const Facts& facts;
  const std::vector<InventoryRule>& rules;
  const std::vector<ExclusionIntent>& exclusions;
};

/// The applicability of a check that every host has.
inline bool always(const CheckContext&) { return true; }

/// The check could not be made: the facts it needs are unknown.
struct NotRun {
  std::string reason;
};

/// What a check found (nothing: an empty list), or why it could not be made. The runner fills in id, title
/// and description.
using CheckOutcome = std::variant<std::vector<Finding>, NotRun>;

/// One check. Ids are declared once, in these tables, and never used again for anything else.
struct Check {
  std::string_view id;
  std::string_view title;
  std::string_view description;
  bool (*applies)(const CheckContext&);  ///< false: the question does not arise on this host
  CheckOutcome (*run)(const CheckContext&);
};

std::span<const Check> audit_checks();      ///< AUD0xx: state, disk, kernel
std::span<const Check> rule_checks();       ///< AUD1xx: the rules themselves
std::span<const Check> host_checks();       ///< HST: distribution and kernel
std::span<const Check> sensor_checks();     ///< BPF: what this kernel lets a sensor do
std::span<const Check> agent_checks();      ///< AGT: the endpoint agent
std::span<const Check> exclusion_checks();  ///< EXC: exclusions

/// All tables, in the order of the report.
std::vector<const Check*> all_checks();

/// True when the host's rules, as far as known, will leave audit locked after the next boot; with evidence.
struct BootLock {
  bool locked = false;
  Evidence evidence;
};
BootLock boot_lock(const Facts& facts);

/// Inventory entries that are Defender's recording rules or controls, by place.
std::vector<const InventoryRule*> defender_rules(const CheckContext& context, Place place);

/// Inventory entries of the kernel or of files that are loaded now and are Defender's.
std::vector<const InventoryRule*> defender_rules_live(const CheckContext& context);

/// Evidence for inventory entries; at most `limit`, the rest counted in a last entry.
std::vector<Evidence> evidence_of(const std::vector<const InventoryRule*>& rules, std::size_t limit = 20);

}  // namespace auditshift::migrate
