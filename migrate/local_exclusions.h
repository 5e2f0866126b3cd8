// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "migrate/managed_config.h"

namespace auditshift::migrate {

/// The answer of `mdatp exclusion list`: blocks between lines of `=`, parted by `---`; a kind line
/// ("Excluded process"), then name or path, then its scopes. What is not understood is passed over.
std::vector<ManagedExclusion> parse_exclusion_list(std::string_view text);

}  // namespace auditshift::migrate
