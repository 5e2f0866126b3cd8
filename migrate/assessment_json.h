// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.h"
#include "migrate/assess.h"

namespace auditshift::migrate {

/// Version of the assessment document; grows when a field is added, never breaks readers of older ones.
inline constexpr const char* kAssessmentSchemaVersion = "1.0";

/// The assessment as the published document (docs/schema/assessment.schema.json). Text that is no UTF-8
/// appears with U+FFFD for the broken bytes, and once more in full as base64 in a field named `…_base64`.
base::Json to_json(const Assessment& assessment);

/// One exclusion, as in the assessment's `exclusions` and in `exclusions translate --json`.
base::Json to_json(const ExclusionIntent& intent);

/// The rules alone, as `rules list --json` prints them.
base::Json to_json(const std::vector<InventoryRule>& rules);

}  // namespace auditshift::migrate
