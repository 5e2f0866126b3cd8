// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/fleet/csv.h"
#include "migrate/fleet/render.h"

namespace auditshift::migrate::fleet {
namespace {

std::string ids_of(const HostReport& report, bool blocking_only) {
  std::vector<std::string> ids;
  for (const ReportedFinding& finding : report.findings)
    if ((!blocking_only || finding.is_blocking()) && (ids.empty() || ids.back() != finding.id))
      ids.push_back(finding.id);
  return base::join(ids, " ");
}

std::string rules_of(const HostReport& report, Owner owner) {
  return std::to_string(report.rules[static_cast<std::size_t>(owner)]);
}

const std::vector<std::string> kColumns = {"hostname",
                                           "machine_id",
                                           "state",
                                           "generated_at",
                                           "days_old",
                                           "verdict",
                                           "next_step",
                                           "distribution",
                                           "distribution_version",
                                           "kernel",
                                           "architecture",
                                           "audit_state",
                                           "sensor_tier",
                                           "agent",
                                           "agent_build",
                                           "event_provider",
                                           "expires",
                                           "blocking_findings",
                                           "findings",
                                           "exclusions",
                                           "exclusions_waiting",
                                           "defender_rules",
                                           "user_rules",
                                           "reports",
                                           "file"};

}  // namespace

std::string render_csv(const Fleet& fleet) {
  std::string out;
  add_csv_line(out, kColumns);
  for (const FleetHost& host : fleet.hosts) {
    const HostReport& report = host.latest;
    add_csv_line(out, {report.hostname, report.machine_id, std::string(to_string(host.age)),
                       base::format_utc(report.generated_at),
                       // A number, not text that begins with a sign.
                       std::to_string(std::max(host.days_old, 0)), std::string(to_string(report.verdict)),
                       report.next_step, report.distribution, report.distribution_version, report.kernel,
                       report.architecture, report.audit_state, report.sensor_tier, report.agent,
                       report.agent_build, report.event_provider, report.expires, ids_of(report, true),
                       ids_of(report, false), std::to_string(report.exclusions.size()),
                       std::to_string(report.exclusions_waiting()), rules_of(report, Owner::defender),
                       rules_of(report, Owner::user), std::to_string(host.reports), report.file});
  }
  for (const std::string& name : fleet.missing) {
    std::vector<std::string> fields(kColumns.size());
    fields[0] = name;
    fields[2] = "missing";
    add_csv_line(out, fields);
  }
  return out;
}

}  // namespace auditshift::migrate::fleet
