// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "auditd/rule.h"

namespace auditshift::migrate::change {

/// One request to the kernel.
struct RuleMove {
  enum class Kind {
    remove,   ///< the first rule equal to this one
    append,   ///< behind those of its list
    prepend,  ///< in front of them
  } kind{};
  auditd::Rule rule;
};

/// What makes the kernel's rules `wanted`, in this order, when it holds `current`. The kernel knows no way to
/// put a rule between two others: what stands behind a rule that comes back in the middle has to move, and
/// between its removal and its return it is missing for the time of one netlink request. So of each list the
/// longest run that already stands right is left alone, what belongs before it is prepended, and what belongs
/// behind it is appended, one rule after the other, each removed right before it is added again.
///
/// Until the last move the rules that move stand in another order than in the end: of an exclusion and a rule
/// it shadows, the wrong one may win for that moment. A rule that the kernel holds twice (that happens to
/// rules loaded with -A alone) counts once; its second copy never takes effect.
std::vector<RuleMove> moves_to(const std::vector<auditd::Rule>& current,
                               const std::vector<auditd::Rule>& wanted);

/// The order to restore: `captured`, with the rules of `current` that are not among it where they stand now,
/// behind the rule they follow.
std::vector<auditd::Rule> with_additions(const std::vector<auditd::Rule>& captured,
                                         const std::vector<auditd::Rule>& current);

}  // namespace auditshift::migrate::change
