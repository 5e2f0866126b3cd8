// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_facts.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate::change {
namespace {

using base::Json;
using base::Result;

constexpr const char* kAbsent = "absent";

Json files_json(const PlanSources& sources) {
  Json files = Json::object();
  for (const auto& [path, file] : sources.files)
    files[base::to_utf8(path)] = file.state.exists ? file.state.sha256 : kAbsent;
  return files;
}

Json live_json(const auditd::LiveRules& live) {
  if (!live.known) return nullptr;
  Json rules = Json::array();
  for (const auditd::Rule& rule : live.rules) rules.push_back(base::to_utf8(rule.text));
  return rules;
}

Result<std::set<std::string>> ids_of(const Json& json, const char* key) {
  std::set<std::string> ids;
  const auto list = json.find(key);
  const bool good = list != json.end() && list->is_array() &&
                    std::all_of(list->begin(), list->end(), [](const Json& id) { return id.is_string(); });
  if (!good)
    return base::Error(base::Errc::invalid, std::string("plan: options: '") + key + "' is no list of ids");
  for (const Json& id : *list) ids.insert(id.get<std::string>());
  return ids;
}

/// One side's value in words.
std::string shown(const Json& value) {
  if (value.is_null()) return "unknown";
  if (value.is_string()) return value.get<std::string>().empty() ? "unknown" : value.get<std::string>();
  return value.dump();
}

void compare_files(const Json& planned, const Json& now, std::vector<std::string>& changes) {
  for (const auto& [path, hash] : planned.items()) {
    const auto today = now.find(path);
    const bool was = hash != kAbsent;
    const bool is = today != now.end() && *today != kAbsent;
    if (was && !is)
      changes.push_back(path + " is gone");
    else if (!was && is)
      changes.push_back(path + " is new");
    else if (was && *today != hash)
      changes.push_back(path + " was changed");
  }
  for (const auto& [path, hash] : now.items())
    if (!planned.contains(path) && hash != kAbsent) changes.push_back(path + " is new");
}

void compare_rules(const Json& planned, const Json& now, std::vector<std::string>& changes) {
  if (planned == now) return;
  if (!planned.is_array() || !now.is_array()) {
    changes.emplace_back("the kernel's audit rules were readable once and not the other time");
    return;
  }
  const std::size_t before = changes.size();
  const auto missing = [](const Json& list, const Json& rule) {
    return std::find(list.begin(), list.end(), rule) == list.end();
  };
  for (const Json& rule : planned)
    if (missing(now, rule)) changes.push_back("the kernel no longer holds " + shown(rule));
  for (const Json& rule : now)
    if (missing(planned, rule)) changes.push_back("the kernel holds another rule: " + shown(rule));
  if (changes.size() == before) changes.emplace_back("the kernel holds the rules in another order");
}

}  // namespace

Json to_json(const PlanOptions& options) {
  Json json = {{"agent", options.agent == AgentKind::none ? "auto" : to_string(options.agent)},
               {"skip", options.skip},
               {"accept", options.accept},
               {"leftovers", options.leftovers}};
  if (options.compare_seconds != 0) json["compare_seconds"] = options.compare_seconds;
  return json;
}

Result<PlanOptions> plan_options_from_json(const Json& json) {
  const auto invalid = [](const std::string& what) {
    return base::Error(base::Errc::invalid, "plan: options: " + what);
  };
  if (!json.is_object()) return invalid("there are none");
  for (const auto& [key, value] : json.items())
    if (key != "agent" && key != "skip" && key != "accept" && key != "leftovers" && key != "compare_seconds")
      return invalid("'" + key + "' is not known");
  PlanOptions options;
  const Json agent = json.value("agent", Json());
  if (agent == "mdatp")
    options.agent = AgentKind::mdatp;
  else if (agent == "native")
    options.agent = AgentKind::native;
  else if (agent != "auto")
    return invalid("'agent' is none of auto, mdatp, native");
  AUDITSHIFT_TRY(skip, ids_of(json, "skip"));
  AUDITSHIFT_TRY(accept, ids_of(json, "accept"));
  const Json leftovers = json.value("leftovers", Json());
  if (!leftovers.is_boolean()) return invalid("'leftovers' is neither true nor false");
  const Json seconds = json.value("compare_seconds", Json(0U));
  if (!seconds.is_number_unsigned() || seconds.get<std::uint64_t>() > kLongestComparison)
    return invalid("'compare_seconds' is no number of seconds");
  options.compare_seconds = seconds.get<std::uint32_t>();
  options.skip = std::move(skip);
  options.accept = std::move(accept);
  options.leftovers = leftovers.get<bool>();
  return options;
}

Json plan_facts(const Assessment& assessment, const PlanSources& sources, const PlanOptions& options) {
  const Facts& facts = assessment.facts;
  Json json = {{"machine_id", facts.host.machine_id},
               {"kernel", facts.host.kernel},
               {"audit_state", auditd::to_string(facts.audit.status.state)},
               {"audit_version", facts.audit.version.to_string()},
               {"loader", auditd::to_string(facts.audit.layout.loader)},
               {"agent", to_string(facts.agent.kind)},
               {"agent_build", facts.agent.build_text},
               {"subsystem", facts.agent.subsystem},
               {"service", to_string(facts.agent.service)},
               {"files", files_json(sources)},
               {"live_rules", live_json(facts.audit.live)},
               {"options", to_json(options)}};
  if (const auto& limit = facts.audit.status.rate_limit) json["rate_limit"] = *limit;
  if (const auto& held = sources.held_package) {
    json["held_package"] = {{"installed", held->installed}};
    if (!held->available.empty()) json["held_package"]["newest"] = held->available.front();
  }
  return json;
}

std::vector<std::string> what_changed(const Json& planned, const Json& now) {
  static constexpr std::pair<const char*, const char*> kValues[] = {
      {"machine_id", "it was made on another machine: machine id"},
      {"kernel", "the kernel"},
      {"audit_state", "the audit state"},
      {"audit_version", "the version of the audit programs"},
      {"rate_limit", "the kernel's audit rate limit"},
      {"loader", "what loads the rules at boot"},
      {"agent", "the agent"},
      {"agent_build", "the agent's build"},
      {"held_package", "the build that a rollback holds"},
      {"subsystem", "the agent's event provider"},
      {"service", "whether the agent starts at boot"}};
  std::vector<std::string> changes;
  for (const auto& [key, words] : kValues) {
    const Json was = planned.value(key, Json());
    const Json is = now.value(key, Json());
    if (was != is) changes.push_back(std::string(words) + ": " + shown(was) + ", now " + shown(is));
  }
  compare_files(planned.value("files", Json::object()), now.value("files", Json::object()), changes);
  compare_rules(planned.value("live_rules", Json()), now.value("live_rules", Json()), changes);
  if (planned.value("options", Json()) != now.value("options", Json()))
    changes.emplace_back("it was made with other options");
  return changes;
}

}  // namespace auditshift::migrate::change
