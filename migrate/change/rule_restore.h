// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "auditd/rule.h"
#include "base/json.h"
#include "base/result.h"
#include "migrate/change/host.h"

namespace auditshift::migrate::change {

/// The kernel's rules. An error when they cannot be read.
base::Result<std::vector<auditd::Rule>> live_rules(const Host& host);

/// What tells rules apart, see auditd/rule_identity.h.
std::set<std::string> identities_of(const std::vector<auditd::Rule>& rules);

/// Deletes every copy of the rule from the kernel.
base::Result<void> delete_rule(auditd::KernelAuditControl& audit, const auditd::Rule& rule);

/// The kernel's rules and the boot, for restore_live.
base::Result<base::Json> capture_live(const Host& host);

/// Makes the kernel hold the captured rules again, in their order; rules that somebody added stay. `taken`
/// are the identities of those that a step took away. Within the boot of the capture it is refused
/// (Errc::busy) when somebody took away others: an undo that was cut short may have left one out, never two.
/// After another boot the loader has put there what was on disk.
base::Result<void> restore_live(Host& host, const base::Json& captured, const std::set<std::string>& taken);
/// Whether the kernel lacks one of the rules that were captured, or does not say.
bool lacks_rules(const Host& host, const base::Json& captured);

}  // namespace auditshift::migrate::change
