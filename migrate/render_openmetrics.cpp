// SPDX-License-Identifier: Apache-2.0
#include "migrate/render_openmetrics.h"

#include <chrono>
#include <map>

#include "migrate/openmetrics.h"
#include "migrate/version.h"

namespace auditshift::migrate {
namespace {

void put_info(const Assessment& a, Metrics& metrics) {
  const Facts& facts = a.facts;
  metrics.gauge("auditshift_assess_info", "What was assessed, and by which version; always 1.");
  metrics.sample(
      1, {{"tool_version", kToolVersion},
          {"distribution", facts.host.distribution},
          {"distribution_version", facts.host.distribution_version},
          {"kernel", facts.host.kernel},
          {"agent", std::string(to_string(facts.agent.kind))},
          {"agent_version", facts.agent.build ? facts.agent.build->to_string() : facts.agent.build_text},
          {"subsystem", facts.agent.subsystem}});
  metrics.gauge("auditshift_assess_time_seconds", "When the assessment was made, seconds since 1970 UTC.");
  metrics.sample(static_cast<double>(
      std::chrono::duration_cast<std::chrono::seconds>(facts.collected_at.time_since_epoch()).count()));
}

void put_answers(const Assessment& a, Metrics& metrics) {
  static const std::vector<std::string_view> kVerdicts = {
      "ready", "ready-after-reboot", "needs-consent", "blocked", "netlink-only", "already-switched"};
  metrics.gauge("auditshift_assess_verdict", "1 for the verdict of the assessment.");
  metrics.states("verdict", kVerdicts, to_string(a.verdict));
  static const std::vector<std::string_view> kStates = {"mutable", "immutable", "disabled", "absent",
                                                        "unknown"};
  metrics.gauge("auditshift_audit_state", "1 for the state of the kernel's audit system.");
  metrics.states("state", kStates, to_string(a.facts.audit.status.state));
  if (a.facts.audit.status.lost) {
    metrics.gauge("auditshift_audit_lost_records", "Audit records that the kernel lost since it booted.");
    metrics.sample(*a.facts.audit.status.lost);
  }
  if (a.facts.sensor.tier) {
    metrics.gauge("auditshift_sensor_tier", "1 for the best tier in which the eBPF sensor works here.");
    metrics.states("tier", {"core", "legacy", "netlink", "none"}, bpf::tier_name(*a.facts.sensor.tier));
  }
}

void put_counts(const Assessment& a, Metrics& metrics) {
  std::map<FindingSeverity, std::pair<unsigned, unsigned>> findings = {{FindingSeverity::info, {}},
                                                                       {FindingSeverity::low, {}},
                                                                       {FindingSeverity::medium, {}},
                                                                       {FindingSeverity::high, {}}};
  for (const Finding& finding : a.findings) {
    auto& [blocking, other] = findings[finding.severity];
    ++(finding.is_blocking() ? blocking : other);
  }
  metrics.gauge("auditshift_assess_findings", "Findings by severity, and whether they stand in the way.");
  for (const auto& [severity, counts] : findings) {
    metrics.sample(counts.first, {{"severity", std::string(to_string(severity))}, {"blocks", "true"}});
    metrics.sample(counts.second, {{"severity", std::string(to_string(severity))}, {"blocks", "false"}});
  }
  std::map<Owner, unsigned> rules = {{Owner::defender, 0},
                                     {Owner::defender_exclusion, 0},
                                     {Owner::exclusion, 0},
                                     {Owner::user, 0},
                                     {Owner::control, 0}};
  for (const InventoryRule& rule : a.rules) ++rules[rule.owner];
  metrics.gauge("auditshift_audit_rules", "Lines of audit configuration by owner.");
  for (const auto& [owner, count] : rules) metrics.sample(count, {{"owner", std::string(to_string(owner))}});
  std::map<Translation, unsigned> exclusions = {
      {Translation::exact, 0}, {Translation::broader, 0}, {Translation::narrower, 0}, {Translation::none, 0}};
  unsigned waiting = 0;
  for (const ExclusionIntent& intent : a.exclusions) {
    ++exclusions[intent.result];
    waiting += intent.consent_needed ? 1U : 0U;
  }
  metrics.gauge("auditshift_exclusions", "Audit exclusions by how a global exclusion can take their place.");
  for (const auto& [result, count] : exclusions)
    metrics.sample(count, {{"result", std::string(to_string(result))}});
  metrics.gauge("auditshift_exclusions_waiting", "Audit exclusions that wait for a person's decision.");
  metrics.sample(waiting);
}

}  // namespace

std::string render_openmetrics(const Assessment& assessment) {
  Metrics metrics;
  put_info(assessment, metrics);
  put_answers(assessment, metrics);
  put_counts(assessment, metrics);
  return metrics.take();
}

}  // namespace auditshift::migrate
