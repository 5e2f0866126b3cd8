// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auditd/rule.h"

namespace auditshift::migrate {

/// True when every event that `later` matches is matched by `earlier` too, so that `later`, coming second on
/// the same list, never decides anything. Sound, not complete: false when it cannot be told.
bool covers(const auditd::Rule& earlier, const auditd::Rule& later);

/// False when no event can match both; true when one might.
bool may_overlap(const auditd::Rule& a, const auditd::Rule& b);

}  // namespace auditshift::migrate
