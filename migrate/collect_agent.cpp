// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/collect.h"
#include "migrate/local_exclusions.h"
#include "migrate/paths.h"

namespace auditshift::migrate {
namespace {

/// What the agent writes when it finds audit locked (its error log).
constexpr std::string_view kLockdownComplaint = "auditd is in lockdown mode";

void find_native(const base::Sysroot& host, AgentFacts& agent) {
  if (!host.exists(paths::kNativeManaged)) return;
  agent.kind = AgentKind::native;
  agent.found_by = {paths::kNativeManaged, 0, "present"};
}

void find_agent(const base::Sysroot& host, const HostFacts& facts, AgentFacts& agent) {
  const auto package = facts.packages.find("mdatp");
  if (package != facts.packages.end()) {
    agent.kind = AgentKind::mdatp;
    agent.found_by = {"package mdatp", 0, package->second};
    agent.build_text = package->second;
    return;
  }
  for (const char* path : {paths::kMdatpRoot, paths::kMdatpCli, paths::kMdatpCustomPath}) {
    if (!host.exists(path)) continue;
    agent.kind = AgentKind::mdatp;
    agent.found_by = {path, 0, "present"};
    return;
  }
  if (host.exists(std::string(paths::kCapture) + "/mdatp-health")) {
    agent.kind = AgentKind::mdatp;
    agent.found_by = {std::string(paths::kCapture) + "/mdatp-health", 0, "present"};
    return;
  }
  find_native(host, agent);
}

ManagedConfig read_managed(const base::Sysroot& host, const char* path) {
  constexpr std::size_t kLimit = std::size_t{4} << 20;
  const auto text = host.read_file(path, kLimit);
  if (text) return parse_managed_config(*text, path);
  ManagedConfig config;
  config.path = path;
  if (text.error().code() == base::Errc::not_found) return config;
  config.exists = true;
  config.error = text.error().message();
  return config;
}

void find_complaints(const base::Sysroot& host, AgentFacts& agent) {
  const auto log = host.read_file(paths::kMdatpErrorLog);
  if (!log) return;
  int number = 0;
  for (const std::string_view line : base::split(*log, '\n')) {
    ++number;
    if (line.find(kLockdownComplaint) == std::string_view::npos) continue;
    agent.immutable_complaints = {
        {paths::kMdatpErrorLog, number, std::string(line.substr(0, 500))}};  // the last one
  }
}

void ask_health(const World& world, AgentFacts& agent) {
  const auto answer = world.mdatp_health();
  if (!answer) {
    agent.health_error = answer.error().message();
    return;
  }
  agent.health = parse_health(*answer);
  if (agent.health.empty()) {
    agent.health_error = "its answer has no field of a health report";
    return;
  }
  if (const std::string version = agent.health.get("app_version"); !version.empty())
    agent.build_text = version;
  agent.subsystem = base::to_lower(agent.health.get("supplementary_events_subsystem"));
  agent.expires = parse_health_date(agent.health.get("product_expiration"));
}

}  // namespace

AgentFacts collect_agent(const World& world, const HostFacts& facts, AgentKind wanted) {
  const base::Sysroot& host = *world.host;
  AgentFacts agent;
  if (wanted == AgentKind::native)
    find_native(host, agent);
  else
    find_agent(host, facts, agent);
  switch (agent.kind) {
    case AgentKind::mdatp:
      ask_health(world, agent);
      agent.managed = read_managed(host, paths::kMdatpManaged);
      agent.attached = read_managed(host, paths::kMdatpAttachManaged);
      agent.managed_overridden = agent.attached.exists;
      if (const auto list = world.mdatp_exclusions()) agent.local_exclusions = parse_exclusion_list(*list);
      agent.service = unit_enabled(host, paths::kMdatpService);
      find_complaints(host, agent);
      break;
    case AgentKind::native:
      agent.managed = read_managed(host, paths::kNativeManaged);
      agent.service = unit_enabled(host, paths::kNativeService);
      break;
    case AgentKind::none:
      agent.managed.path = paths::kNativeManaged;
      break;
  }
  agent.build = BuildVersion::parse(agent.build_text);
  return agent;
}

}  // namespace auditshift::migrate
