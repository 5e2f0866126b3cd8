// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// Bytes that are equal for two rules exactly when the kernel takes them for the same (same_in_kernel), so
/// that many rules can be looked up without comparing each with each.
std::string identity_of(const Rule& rule);

}  // namespace auditshift::auditd
