// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrate/facts.h"
#include "migrate/inventory.h"
#include "migrate/managed_config.h"

namespace auditshift::migrate {

/// Does a global exclusion keep out the same events as the audit rules did?
enum class Translation {
  exact,     ///< the same ones
  broader,   ///< those and others
  narrower,  ///< only some of those
  none,      ///< no global exclusion can express it
};
std::string_view to_string(Translation translation);

/// One thing an administrator wanted to keep out, whatever number of rule lines it took.
struct ExclusionIntent {
  std::string id;      ///< stable for the same intent: "process:/usr/sbin/named"; used with --accept
  std::string intent;  ///< in words
  std::vector<Evidence> sources;
  Translation result = Translation::none;
  std::optional<ManagedExclusion> entry;  ///< the global exclusion, when there is one
  std::vector<std::string>
      protection_impact;           ///< what the entry switches off on this agent beside the events
  bool serves_user_rules = false;  ///< it also quiets user rules that come later, so it stays in auditd
  bool consent_needed = false;
  std::string reason;       ///< why this result
  std::string recommended;  ///< in words: what to do with it
};

/// Groups the exclusion rules of the inventory into intents and translates each.
std::vector<ExclusionIntent> find_exclusions(const Facts& facts, const std::vector<InventoryRule>& inventory);

/// The paths of exclusion rules whose targets the collector looks up on the host (links, existence).
std::vector<std::string> exclusion_targets(const std::vector<InventoryRule>& inventory);

}  // namespace auditshift::migrate
