// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "auditd/rule.h"
#include "base/json.h"
#include "base/result.h"

namespace auditshift::migrate::change {

/// An audit rule as plans and the journal hold it: field by field, because the text that `auditctl -l` prints
/// for a rule is not always one that loads it again. `text` is for people; it is kept but means nothing.
base::Json to_json(const auditd::Rule& rule);
base::Json to_json(const std::vector<auditd::Rule>& rules);
base::Result<auditd::Rule> rule_from_json(const base::Json& json);
base::Result<std::vector<auditd::Rule>> rules_from_json(const base::Json& json);

}  // namespace auditshift::migrate::change
