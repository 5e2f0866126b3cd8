// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrate/event_class.h"
#include "migrate/facts.h"
#include "migrate/owner.h"

namespace auditshift::migrate {

/// Where a rule of the inventory stands.
enum class Place {
  rules_d,   ///< a file of /etc/audit/rules.d
  compiled,  ///< /etc/audit/audit.rules
  kernel,    ///< loaded, and in no file
};
std::string_view to_string(Place place);  ///< rules.d, compiled, kernel

/// One line of audit configuration, or one rule that is only in the kernel, with all that is known of it.
struct InventoryRule {
  Place place = Place::rules_d;
  auditd::Origin origin;
  std::string text;        ///< exact
  std::string normalized;  ///< as `auditctl -l` prints it; empty for control lines and bad lines
  Owner owner = Owner::user;
  FileRole file_role = FileRole::ordinary;
  bool valid = true;
  std::string error;  ///< why it is not valid
  std::vector<auditd::Diagnostic> diagnostics;
  std::optional<auditd::Rule> rule;
  std::vector<auditd::Control> controls;
  std::optional<bool> loaded;  ///< in the kernel now; absent when that is unknown
  bool compiled = false;       ///< a rules.d line that also stands in audit.rules
  CoverageAnswer coverage;
  std::string meaning;                   ///< in words
  std::optional<auditd::Volume> volume;  ///< in the audit log, over its whole span; absent without a log
};

/// A rule that records for Defender, or any line of its rules file. Its other control lines (rate limit, skip
/// faulty rule) are leftovers, no rules.
bool is_defender_rule(const InventoryRule& rule);

/// Every rule and control line that the host's loader reads, each once: rules.d in the loader's order; what
/// stands in audit.rules and not in rules.d; what is only in the kernel. Comments and blank lines are left
/// out.
std::vector<InventoryRule> take_inventory(const Facts& facts);

}  // namespace auditshift::migrate
