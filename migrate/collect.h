// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/progress.h"
#include "migrate/facts.h"
#include "migrate/world.h"

namespace auditshift::migrate {

struct CollectOptions {
  int log_days = 30;                  ///< how far back the audit log is read; 0: not at all
  AgentKind agent = AgentKind::none;  ///< the one to look at where there are two; none: Defender first
};

/// Reads everything the assessment needs. Changes nothing on the host; what cannot be read is recorded as
/// unknown, with the reason.
Facts collect_facts(const World& world, const CollectOptions& options, base::Progress& progress);

/// Looks at paths on the host: where they lead, who can change them. Of a captured host what the capture
/// says.
PathFactsMap collect_paths(const base::Sysroot& host, const std::vector<std::string>& paths);

// The parts of collect_facts, each in a file of its own.
HostFacts collect_host(const World& world);
AgentFacts collect_agent(const World& world, const HostFacts& host, AgentKind wanted = AgentKind::none);

/// The version of the audit user space, by its package; nothing when the packages do not tell.
std::optional<auditd::AuditVersion> audit_version_of(const HostFacts& host);

/// Whether a systemd unit starts at boot: links in *.wants and *.requires, masks, in the order of
/// systemd.unit(5).
Enabled unit_enabled(const base::Sysroot& host, std::string_view unit);

}  // namespace auditshift::migrate
