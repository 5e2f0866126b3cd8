// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "auditd/layout.h"
#include "auditd/rule.h"

namespace auditshift::migrate {

/// Whose a line of the audit configuration is; decides what a switch may touch.
enum class Owner {
  defender,            ///< Defender put it there to feed its own sensor
  defender_exclusion,  ///< written by the vendor's support tool to quiet Defender
  exclusion,           ///< somebody's own rule that keeps events out
  user,                ///< somebody's own rule that records
  control,             ///< -D, -b, -e and the like
};
std::string_view to_string(Owner owner);  ///< defender, defender-exclusion, exclusion, user, control

/// How a rules file relates to Defender, from its name and its header.
enum class FileRole {
  ordinary,
  defender_rules,    ///< mdatp.rules
  defender_managed,  ///< carries the header with Defender's GUID (rate limit, skip faulty rule)
  support_tool,      ///< exclude.rules
};
FileRole role_of(const auditd::RuleFile& file);

/// True for the keys that Defender gives its rules: "mdatp" and "mdatpmbr", exactly.
bool is_defender_key(std::string_view key);

Owner owner_of(const auditd::Rule& rule, FileRole role);
Owner owner_of(const auditd::Control& control, FileRole role);

/// True for a rule that keeps events out: `never` on any list, or anything on the exclude list.
bool excludes(const auditd::Rule& rule);

}  // namespace auditshift::migrate
