// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/fleet/render.h"
#include "migrate/version.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Json;

Json null_if_empty(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json verdicts_json(const std::array<std::size_t, kVerdicts.size()>& counts) {
  Json json = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) json[std::string(to_string(kVerdicts[i]))] = counts[i];
  return json;
}

Json counts_json(const std::vector<Count>& counts) {
  Json json = Json::array();
  for (const Count& count : counts)
    json.push_back({{"value", null_if_empty(count.value)}, {"hosts", count.hosts}});
  return json;
}

Json distributions_json(const Distributions& all) {
  return {
      {"distribution", counts_json(all.distribution)}, {"kernel", counts_json(all.kernel)},
      {"agent_build", counts_json(all.agent_build)},   {"event_provider", counts_json(all.event_provider)},
      {"audit_state", counts_json(all.audit_state)},   {"sensor_tier", counts_json(all.sensor_tier)}};
}

Json files_json(const DirectoryReading& reading) {
  Json damaged = Json::array();
  for (const SkippedFile& file : reading.damaged)
    damaged.push_back({{"file", file.file}, {"reason", file.reason}});
  return {{"found", reading.files},
          {"assessments", reading.assessments},
          {"other_documents", reading.other_documents},
          {"damaged", std::move(damaged)}};
}

Json findings_json(const Fleet& fleet) {
  Json json = Json::array();
  for (const FindingCount& finding : fleet.findings)
    json.push_back({{"id", finding.id},
                    {"title", finding.title},
                    {"severity", to_string(finding.severity)},
                    {"hosts", finding.hosts},
                    {"blocking", finding.blocking}});
  return json;
}

Json burn_down_json(const Fleet& fleet) {
  Json json = Json::array();
  for (const BurnDownDay& day : fleet.burn_down)
    json.push_back({{"date", base::format_date(day.day)},
                    {"verdicts", verdicts_json(day.verdicts)},
                    {"not_reported", day.not_reported}});
  return json;
}

Json exclusions_json(const Fleet& fleet) {
  Json json = Json::array();
  for (const CommonExclusion& exclusion : fleet.exclusions) {
    const Json entry =
        exclusion.kind.empty() ? Json() : Json({{"kind", exclusion.kind}, {"value", exclusion.value}});
    json.push_back({{"id", exclusion.id},
                    {"intent", exclusion.intent},
                    {"entry", entry},
                    {"hosts", exclusion.hosts},
                    {"exact", exclusion.exact},
                    {"consent_needed", exclusion.consent_needed},
                    {"already_managed", exclusion.already_managed},
                    {"carried_over", exclusion.carried_over},
                    {"dangers", exclusion.dangers},
                    {"in_policy", exclusion.in_policy},
                    {"why_not", null_if_empty(exclusion.why_not)}});
  }
  return json;
}

Json policy_json(const Fleet& fleet) {
  return {{"minimum_hosts", fleet.policy_hosts},
          {"managed", fleet.policy.empty() ? Json() : Json::parse(fleet.policy)}};
}

Json expected_json(const Fleet& fleet) {
  if (!fleet.options.expected) return Json();
  Json unexpected = Json::array();
  for (const std::size_t place : fleet.unexpected) unexpected.push_back(fleet.hosts[place].latest.hostname);
  return {{"names", fleet.options.expected->size()},
          {"missing", fleet.missing},
          {"unexpected", std::move(unexpected)}};
}

Json host_json(const FleetHost& host) {
  const HostReport& report = host.latest;
  Json findings = Json::array();
  for (const ReportedFinding& finding : report.findings)
    findings.push_back({{"id", finding.id},
                        {"severity", to_string(finding.severity)},
                        {"blocking", finding.is_blocking()},
                        {"accepted", finding.accepted},
                        {"diagnosis", finding.diagnosis}});
  Json exclusions = Json::array();
  for (const ReportedExclusion& exclusion : report.exclusions)
    exclusions.push_back({{"id", exclusion.id},
                          {"result", exclusion.result},
                          {"consent_needed", exclusion.consent_needed},
                          {"already_managed", exclusion.already_managed}});
  return {{"hostname", null_if_empty(report.hostname)},
          {"machine_id", null_if_empty(report.machine_id)},
          {"file", report.file},
          {"generated_at", base::format_utc(report.generated_at)},
          {"reports", host.reports},
          {"age", to_string(host.age)},
          {"days_old", host.days_old},
          {"verdict", to_string(report.verdict)},
          {"needs_attention", report.needs_attention()},
          {"next_step", null_if_empty(report.next_step)},
          {"distribution", null_if_empty(report.distribution)},
          {"distribution_name", null_if_empty(report.distribution_name)},
          {"distribution_version", null_if_empty(report.distribution_version)},
          {"kernel", null_if_empty(report.kernel)},
          {"architecture", null_if_empty(report.architecture)},
          {"audit_state", null_if_empty(report.audit_state)},
          {"sensor_tier", null_if_empty(report.sensor_tier)},
          {"agent", null_if_empty(report.agent)},
          {"agent_build", null_if_empty(report.agent_build)},
          {"event_provider", null_if_empty(report.event_provider)},
          {"expires", null_if_empty(report.expires)},
          {"findings", std::move(findings)},
          {"exclusions", std::move(exclusions)}};
}

}  // namespace

std::string render_json(const Fleet& fleet, base::JsonStyle style) {
  const Json head = {{"schema_version", kFleetSchemaVersion},
                     {"tool_version", kToolVersion},
                     {"generated_at", base::format_utc(fleet.options.now)},
                     {"stale_days", fleet.options.stale_days},
                     {"files", files_json(fleet.reading)},
                     {"hosts_total", fleet.hosts.size()},
                     {"hosts_needing_attention", fleet.need_attention},
                     {"hosts_stale", fleet.stale},
                     {"verdicts", verdicts_json(fleet.verdicts)},
                     {"next_steps", next_steps(fleet)},
                     {"expected", expected_json(fleet)},
                     {"findings", findings_json(fleet)},
                     {"distributions", distributions_json(fleet.distributions)},
                     {"burn_down", burn_down_json(fleet)},
                     {"exclusions", exclusions_json(fleet)},
                     {"policy", policy_json(fleet)}};
  // A document tree of ten thousand hosts would need more memory than all the rest; so hosts are written one
  // by one behind the head.
  std::string text = base::dump_json(head, style);
  text.resize(text.rfind('}'));
  while (text.ends_with('\n')) text.pop_back();
  text += style == base::JsonStyle::pretty ? ",\n  \"hosts\": [" : ",\"hosts\":[";
  for (std::size_t i = 0; i < fleet.hosts.size(); ++i) {
    std::string line = base::dump_json(host_json(fleet.hosts[i]), base::JsonStyle::compact);
    line.pop_back();
    text += i == 0 ? "\n" : ",\n";
    text += style == base::JsonStyle::pretty ? "    " : "";
    text += line;
  }
  return text + (style == base::JsonStyle::pretty ? "\n  ]\n}\n" : "\n]}\n");
}

}  // namespace auditshift::migrate::fleet
