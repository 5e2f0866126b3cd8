// SPDX-License-Identifier: Apache-2.0
#include "migrate/assessment_json.h"

#include "base/clock.h"
#include "base/text.h"
#include "migrate/version.h"

namespace auditshift::migrate {
namespace {

using base::Json;

Json null_if_empty(const std::string& text) { return text.empty() ? Json() : Json(base::to_utf8(text)); }

/// Bytes from the host: as text, and as base64 beside it where the text cannot say them.
void put_text(Json& object, const char* name, const std::string& text) {
  object[name] = base::to_utf8(text);
  if (!base::is_utf8(text)) object[std::string(name) + "_base64"] = base::base64(text);
}

template <class T>
Json null_if_absent(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json source_json(const Evidence& evidence) {
  return {{"file", null_if_empty(evidence.file)},
          {"line", evidence.line == 0 ? Json() : Json(evidence.line)}};
}

Json evidence_json(const std::vector<Evidence>& list) {
  Json array = Json::array();
  for (const Evidence& evidence : list) {
    Json entry = source_json(evidence);
    put_text(entry, "text", evidence.text);
    array.push_back(std::move(entry));
  }
  return array;
}

Json host_json(const Facts& facts) {
  const HostFacts& host = facts.host;
  return {{"hostname", null_if_empty(host.hostname)},
          {"machine_id", null_if_empty(host.machine_id)},
          {"boot_id", null_if_empty(host.boot_id)},
          {"distribution", null_if_empty(host.distribution)},
          {"distribution_name", null_if_empty(host.distribution_name)},
          {"distribution_version", null_if_empty(host.distribution_version)},
          {"kernel", null_if_empty(host.kernel)},
          {"architecture", null_if_empty(host.architecture)},
          {"lockdown", host.lockdown},
          {"live", host.live}};
}

std::size_t rule_lines(const Facts& facts) {
  std::size_t count = 0;
  const auditd::Layout& layout = facts.audit.layout;
  const auto add = [&](const auditd::RuleFile& file) {
    for (const auditd::Line& line : file.lines) count += line.rule.has_value() ? 1U : 0U;
  };
  if (layout.loader == auditd::Loader::plain) {
    if (layout.compiled) add(*layout.compiled);
    return count;
  }
  for (const auditd::RuleFile& file : layout.rules_d)
    if (file.read_by_loader) add(file);
  return count;
}

Json audit_json(const Facts& facts) {
  const AuditFacts& audit = facts.audit;
  return {{"state", to_string(audit.status.state)},
          {"state_reason", null_if_empty(audit.status.reason)},
          {"auditd_running", null_if_absent(audit.auditd_running)},
          {"auditd_enabled", to_string(audit.auditd_enabled)},
          {"version", audit.version.to_string()},
          {"version_source", audit.version_evidence.empty() ? Json("assumed") : Json(audit.version_evidence)},
          {"backlog_limit", null_if_absent(audit.status.backlog_limit)},
          {"backlog", null_if_absent(audit.status.backlog)},
          {"lost", null_if_absent(audit.status.lost)},
          {"rules_on_disk", rule_lines(facts)},
          {"rules_live", audit.live.known ? Json(audit.live.rules.size()) : Json()},
          {"loader", to_string(audit.layout.loader)},
          {"loader_evidence", null_if_empty(audit.layout.loader_evidence)},
          {"drift", audit.live.known ? Json(audit.drift.size()) : Json()}};
}

Json rule_json(const InventoryRule& rule) {
  Json json = {{"file", null_if_empty(rule.origin.file)},
               {"line", rule.origin.line == 0 ? Json() : Json(rule.origin.line)}};
  put_text(json, "text", rule.text);
  json["normalized"] = null_if_empty(rule.normalized);
  json["owner"] = to_string(rule.owner);
  json["place"] = to_string(rule.place);
  json["loaded"] = null_if_absent(rule.loaded);
  json["valid"] = rule.valid;
  json["error"] = null_if_empty(rule.error);
  Json classes = Json::array();
  for (const EventClass event_class : rule.coverage.classes) classes.push_back(to_string(event_class));
  json["event_classes"] = std::move(classes);
  json["coverage"] = to_string(rule.coverage.coverage);
  json["note"] = null_if_empty(rule.coverage.note);
  put_text(json, "meaning", rule.meaning);
  if (rule.volume) json["log"] = {{"events", rule.volume->events}, {"bytes", rule.volume->bytes}};
  return json;
}

Json utf8_texts(const std::vector<std::string>& texts) {
  Json array = Json::array();
  for (const std::string& text : texts) array.push_back(base::to_utf8(text));
  return array;
}

Json entry_json(const ManagedExclusion& entry) {
  return {{"kind", to_string(entry.kind)}, {"value", base::to_utf8(entry.value)}, {"scopes", entry.scopes}};
}

}  // namespace

Json to_json(const ExclusionIntent& intent) {
  Json sources = Json::array();
  for (const Evidence& source : intent.sources) sources.push_back(source_json(source));
  Json blinded = Json::array();
  for (const BlindedClass& lost : intent.blinded)
    blinded.push_back(
        {{"class", to_string(lost.event_class)}, {"events_per_day", null_if_absent(lost.events_per_day)}});
  return {
      {"id", base::to_utf8(intent.id)},
      {"intent", base::to_utf8(intent.intent)},
      {"sources", std::move(sources)},
      {"result", to_string(intent.result)},
      {"protection_impact", intent.protection_impact},
      {"blinded", std::move(blinded)},
      {"dangers", utf8_texts(intent.dangers)},
      {"serves_user_rules", intent.serves_user_rules},
      {"entry", intent.entry ? entry_json(*intent.entry) : Json()},
      {"already_managed", intent.already_managed},
      {"reason", base::to_utf8(intent.reason)},
      {"advice", null_if_empty(intent.advice)},
      {"consent_needed", intent.consent_needed},
      {"carried_over", intent.carried_over()},
      {"evidence",
       {{"verdict", to_string(intent.evidence.verdict)}, {"reason", base::to_utf8(intent.evidence.reason)}}},
      {"recommended", base::to_utf8(intent.recommended)}};
}

namespace {

Json sensor_json(const SensorFacts& sensor) {
  Json probe = Json::array();
  for (const bpf::ProbeResult& result : sensor.probe) {
    const Json ok =
        result.ok == bpf::ProbeResult::unknown ? Json() : Json(result.ok == bpf::ProbeResult::yes);
    probe.push_back({{"feature", result.feature}, {"ok", ok}, {"detail", base::to_utf8(result.detail)}});
  }
  return {{"tier", sensor.tier ? Json(bpf::tier_name(*sensor.tier)) : Json()}, {"probe", std::move(probe)}};
}

Json agent_json(const AgentFacts& agent) {
  return {{"kind", to_string(agent.kind)},
          {"version", agent.build ? Json(agent.build->to_string()) : null_if_empty(agent.build_text)},
          {"subsystem", null_if_empty(agent.subsystem)},
          {"expires", agent.expires ? Json(base::format_date(*agent.expires)) : Json()},
          {"managed_file", agent.managed.exists ? Json(agent.managed.path) : Json()},
          {"managed_overridden", agent.managed_overridden},
          {"service", to_string(agent.service)}};
}

Json finding_json(const Finding& finding) {
  Json remediations = Json::array();
  for (const Remediation& remediation : finding.remediations)
    remediations.push_back({{"hint", remediation.hint},
                            {"argv", remediation.argv.empty() ? Json() : Json(remediation.argv)},
                            {"safe", remediation.safe},
                            {"reboot", remediation.reboot}});
  Json json = {{"id", finding.id},
               {"title", finding.title},
               {"severity", to_string(finding.severity)},
               {"blocks", to_string(finding.blocks)},
               {"accepted", finding.accepted},
               {"description", finding.description}};
  put_text(json, "diagnosis", finding.diagnosis);
  json["evidence"] = evidence_json(finding.evidence);
  json["data"] = finding.data;
  json["remediations"] = std::move(remediations);
  return json;
}

Json log_json(const Facts& facts) {
  if (!facts.log_known) return Json();
  const auditd::LogStatistics& log = facts.log;
  return {{"days", log.days},
          {"first_day", log.days == 0 ? Json() : Json(base::format_date(log.first_day))},
          {"last_day", log.days == 0 ? Json() : Json(base::format_date(log.last_day))},
          {"events", log.total.events},
          {"bytes", log.total.bytes},
          {"malformed", log.malformed},
          {"truncated", log.truncated},
          {"files", log.files},
          {"errors", log.errors}};
}

}  // namespace

Json to_json(const std::vector<InventoryRule>& rules) {
  Json array = Json::array();
  for (const InventoryRule& rule : rules) array.push_back(rule_json(rule));
  return array;
}

Json to_json(const Assessment& assessment) {
  const Facts& facts = assessment.facts;
  Json exclusions = Json::array();
  for (const ExclusionIntent& intent : assessment.exclusions) exclusions.push_back(to_json(intent));
  Json findings = Json::array();
  for (const Finding& finding : assessment.findings) findings.push_back(finding_json(finding));
  Json checks = Json::array();
  for (const CheckReport& check : assessment.checks)
    checks.push_back({{"id", check.id},
                      {"title", check.title},
                      {"outcome", to_string(check.outcome)},
                      {"reason", null_if_empty(check.reason)}});
  return {{"schema_version", kAssessmentSchemaVersion},
          {"tool_version", kToolVersion},
          {"generated_at", base::format_utc(facts.collected_at)},
          {"host", host_json(facts)},
          {"verdict", to_string(assessment.verdict)},
          {"next_step", assessment.next_step},
          {"audit", audit_json(facts)},
          {"rules", to_json(assessment.rules)},
          {"exclusions", std::move(exclusions)},
          {"sensor", sensor_json(facts.sensor)},
          {"agent", agent_json(facts.agent)},
          {"log", log_json(facts)},
          {"findings", std::move(findings)},
          {"checks", std::move(checks)},
          {"plan_summary", assessment.plan_summary}};
}

}  // namespace auditshift::migrate
