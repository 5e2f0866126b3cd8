// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "migrate/managed_config.h"
#include "migrate/path_facts.h"

namespace auditshift::migrate {

/// Why an entry of scope global hands an intruder a place to hide, each reason in words; empty: none known.
/// `target` is what is known of its path, or null.
std::vector<std::string> dangers_of(const ManagedExclusion& entry, const PathFacts* target);

}  // namespace auditshift::migrate
