// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// The line `auditctl -l` of that version prints for a loaded rule, its quirks included (a `never` watch form
/// looks like a watch, `exe!=` loses its operator before 3.1.5 and in 4.0 to 4.0.1).
/// `machine` is uname -m of the host.
std::string normalize(const Rule& rule, const AuditVersion& version, std::string_view machine);

/// Puts rules into the order in which the kernel lists them: by list, and inside a list in the order of
/// evaluation (prepended ones first). `-d` and `-W` remove an equal rule; `-D` in between is not known here.
std::vector<Rule> kernel_order(const std::vector<Rule>& rules);

}  // namespace auditshift::auditd
