// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "migrate/exclusion.h"
#include "migrate/exclusion_intents.h"
#include "migrate/rule_order.h"

namespace auditshift::migrate {

/// Is the exclusion worth anything on this host? What it kept out is not in the audit log; what the log does
/// hold of the same program and system calls (from before the rule, from rules asked earlier, or because
/// the rule is not in the kernel) is the evidence.
ExclusionEvidence judge_need(const Facts& facts, const RuleOrder& order, const IntentGroup& group);

/// Events a day, by class, that only the entry would keep out; from the log where that can tell: it names
/// programs, but no files.
std::vector<BlindedClass> count_blinded(const Facts& facts, const IntentGroup& group,
                                        const std::vector<EventClass>& classes);

}  // namespace auditshift::migrate
