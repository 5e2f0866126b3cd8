// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "migrate/change/plan.h"
#include "migrate/change/step_parameters.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Error malformed(const std::string& key, std::string_view what) {
  return Error(Errc::invalid, "plan: '" + key + "' " + std::string(what));
}

Result<std::string> text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return malformed(key, "is missing");
  if (!found->is_string()) return malformed(key, "is not text");
  return found->get<std::string>();
}

Result<Json> value(const Json& json, const char* key, bool (Json::*is)() const, std::string_view what) {
  const auto found = json.find(key);
  if (found == json.end()) return malformed(key, "is missing");
  if (!((*found).*is)()) return malformed(key, what);
  return *found;
}

Result<void> only(const Json& plan, std::initializer_list<std::string_view> keys) {
  if (const auto key = unknown_key(plan, keys)) return malformed(*key, "is not known");
  return {};
}

Result<AgentKind> agent_kind(const std::string& text) {
  for (const AgentKind kind : {AgentKind::none, AgentKind::mdatp, AgentKind::native})
    if (to_string(kind) == text) return kind;
  return malformed("agent", "is '" + text + "', not none, mdatp or native");
}

Result<StepSpec> step_from_json(const Json& json) {
  if (!json.is_object()) return malformed("steps", "holds what is no object");
  AUDITSHIFT_TRY_VOID(only(json, {"id", "type", "parameters"}));
  StepSpec spec;
  AUDITSHIFT_TRY(id, text(json, "id"));
  AUDITSHIFT_TRY(type, text(json, "type"));
  AUDITSHIFT_TRY(parameters, value(json, "parameters", &Json::is_object, "is no object"));
  spec.id = id;
  spec.type = type;
  spec.parameters = std::move(parameters);
  return spec;
}

}  // namespace

Json to_json(const Plan& plan) {
  Json json = Json::object();
  json["schema_version"] = "1.0";
  json["tool_version"] = plan.tool_version;
  json["created_at"] = base::format_utc(plan.created_at);
  json["machine_id"] = plan.machine_id;
  json["facts_hash"] = plan.facts_hash;
  json["facts"] = plan.facts;
  json["agent"] = to_string(plan.agent);
  json["steps"] = Json::array();
  for (const StepSpec& step : plan.steps)
    json["steps"].push_back({{"id", step.id}, {"type", step.type}, {"parameters", step.parameters}});
  json["before_reboot"] = plan.before_reboot;
  json["reboot"] = plan.reboot;
  json["reboot_reason"] = plan.reboot_reason;
  json["expectations"] = plan.expectations;
  return json;
}

Result<Plan> plan_from_json(const Json& json) {
  if (!json.is_object()) return Error(Errc::invalid, "plan: not a JSON object");
  AUDITSHIFT_TRY_VOID(
      only(json, {"schema_version", "tool_version", "created_at", "machine_id", "facts_hash", "facts",
                  "agent", "steps", "before_reboot", "reboot", "reboot_reason", "expectations"}));
  Plan plan;
  AUDITSHIFT_TRY(tool_version, text(json, "tool_version"));
  AUDITSHIFT_TRY(created_at, text(json, "created_at"));
  AUDITSHIFT_TRY(machine_id, text(json, "machine_id"));
  AUDITSHIFT_TRY(facts_hash, text(json, "facts_hash"));
  AUDITSHIFT_TRY(agent, text(json, "agent"));
  AUDITSHIFT_TRY(kind, agent_kind(agent));
  AUDITSHIFT_TRY(steps, value(json, "steps", &Json::is_array, "is no array"));
  AUDITSHIFT_TRY(before_reboot, value(json, "before_reboot", &Json::is_number_unsigned, "is no number"));
  AUDITSHIFT_TRY(reboot, value(json, "reboot", &Json::is_boolean, "is neither true nor false"));
  AUDITSHIFT_TRY(reason, text(json, "reboot_reason"));
  AUDITSHIFT_TRY(expectations, value(json, "expectations", &Json::is_object, "is no object"));
  const auto created = base::parse_utc(created_at);
  if (!created) return malformed("created_at", "is not a time like 2026-11-21T08:00:00Z");
  plan.tool_version = tool_version;
  plan.created_at = *created;
  plan.machine_id = machine_id;
  plan.facts_hash = facts_hash;
  if (const auto facts = json.find("facts"); facts != json.end()) plan.facts = *facts;
  plan.agent = kind;
  for (const Json& step : steps) {
    AUDITSHIFT_TRY(spec, step_from_json(step));
    plan.steps.push_back(std::move(spec));
  }
  plan.before_reboot = before_reboot.get<std::size_t>();
  if (plan.before_reboot > plan.steps.size())
    return malformed("before_reboot", "is more than there are steps");
  plan.reboot = reboot.get<bool>();
  plan.reboot_reason = reason;
  plan.expectations = std::move(expectations);
  return plan;
}

}  // namespace auditshift::migrate::change
