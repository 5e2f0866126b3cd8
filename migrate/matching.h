// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "auditd/rule.h"

namespace auditshift::migrate {

/// True when every event that `later` matches is matched by `earlier` too, so that `later`, coming second on
/// the same list, never decides anything. Sound, not complete: false when it cannot be told.
bool covers(const auditd::Rule& earlier, const auditd::Rule& later);

/// Are two paths surely different files, whatever links and names there are?
using SurelyDifferent = std::function<bool(const std::string&, const std::string&)>;

/// False when no event can match both; true when one might. Sound: two paths do not exclude each other, since
/// one call may name both (rename) and one file may have both names; programs do only when `different` says
/// so.
bool may_overlap(const auditd::Rule& a, const auditd::Rule& b, const SurelyDifferent& different = {});

}  // namespace auditshift::migrate
