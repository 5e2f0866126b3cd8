// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "migrate/exclusion.h"
#include "migrate/exclusion_intents.h"

namespace auditshift::migrate {

/// Fills intent, reason and the nearest honest advice of a group that no global exclusion can express.
/// REQUIRES: the group has no path.
void explain_untranslatable(const Facts& facts, const IntentGroup& group, ExclusionIntent& intent);

}  // namespace auditshift::migrate
