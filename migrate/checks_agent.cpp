// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/check.h"
#include "migrate/paths.h"

namespace auditshift::migrate {
namespace {

using auditd::AuditState;

bool is_mdatp(const CheckContext& c) { return c.facts.agent.kind == AgentKind::mdatp; }
bool has_managed(const CheckContext& c) { return c.facts.agent.managed.exists; }
bool has_agent(const CheckContext& c) { return c.facts.agent.kind != AgentKind::none; }

constexpr const char* kNoBuild = "the agent's build is unknown";

Evidence build_evidence(const CheckContext& c) {
  return {c.facts.agent.found_by.file, c.facts.agent.found_by.line, "build " + c.facts.agent.build_text};
}

/// A day count from the assessment to a date; negative when it has passed.
long long days_until(const CheckContext& c, std::chrono::sys_days day) {
  return (day - std::chrono::floor<std::chrono::days>(c.facts.collected_at)).count();
}

CheckOutcome no_agent(const CheckContext& c) {
  if (c.facts.agent.kind != AgentKind::none) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::info;
  finding.diagnosis = "No Defender and no sensor of this project is installed here.";
  finding.data = {{"looked_for", {paths::kMdatpRoot, paths::kNativeManaged}}};
  finding.remediations.push_back(
      {.hint = "A switch would install this project's own sensor as the source of events."});
  return std::vector{finding};
}

CheckOutcome not_answering(const CheckContext& c) {
  if (!c.facts.agent.health.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = c.facts.host.live ? FindingSeverity::high : FindingSeverity::low;
  finding.blocks = c.facts.host.live ? Blocks::mandatory : Blocks::none;
  finding.diagnosis = "The agent's health is unknown: " + c.facts.agent.health_error + ".";
  finding.evidence.push_back(c.facts.agent.found_by);
  finding.data = {{"error", c.facts.agent.health_error}};
  if (c.facts.host.live)
    finding.remediations.push_back({.hint = "See why the daemon does not answer.",
                                    .argv = {"systemctl", "status", paths::kMdatpService},
                                    .safe = true});
  else
    finding.remediations.push_back({.hint = "Capture the host again while the agent runs."});
  return std::vector{finding};
}

CheckOutcome build_unknown(const CheckContext& c) {
  if (c.facts.agent.build) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.blocks = Blocks::overridable;
  finding.diagnosis =
      c.facts.agent.build_text.empty()
          ? "Neither the package database nor the agent tells its build, so known faults cannot be ruled out."
          : "The agent's build \"" + c.facts.agent.build_text +
                "\" is not understood, so known faults cannot be ruled out.";
  finding.evidence.push_back(c.facts.agent.found_by);
  finding.data = {{"build_text", c.facts.agent.build_text}};
  return std::vector{finding};
}

CheckOutcome expiry(const CheckContext& c) {
  const bool unlicensed = c.facts.agent.health.get("licensed") == "false";
  if (!c.facts.agent.expires && !unlicensed) return NotRun{"the agent did not tell when it expires"};
  Finding finding;
  if (c.facts.agent.expires) {
    const long long days = days_until(c, *c.facts.agent.expires);
    const std::string date = base::format_date(*c.facts.agent.expires);
    finding.data = {{"expires", date}, {"days_left", days}};
    finding.evidence.push_back(
        {"mdatp health", 0, "product_expiration : " + c.facts.agent.health.get("product_expiration")});
    finding.diagnosis = days < 0 ? "The agent's build expired on " + date + "."
                                 : "The agent's build expires on " + date + ": " +
                                       base::count_of(static_cast<std::uint64_t>(days), "day") +
                                       " left for the transition.";
    finding.severity = days < 0     ? FindingSeverity::high
                       : days <= 30 ? FindingSeverity::medium
                                    : FindingSeverity::info;
    finding.blocks = days < 0 ? Blocks::overridable : Blocks::none;
  }
  if (unlicensed) {
    finding.severity = FindingSeverity::high;
    finding.blocks = Blocks::overridable;
    finding.evidence.push_back({"mdatp health", 0, "licensed : false"});
    finding.diagnosis = finding.diagnosis.empty()
                            ? "The agent reports no valid licence; an expired build looks like that."
                            : finding.diagnosis + " It reports no valid licence.";
    finding.data["licensed"] = false;
  }
  if (!c.facts.agent.health.attention.empty())
    finding.evidence.push_back({"mdatp health", 0, "ATTENTION: " + c.facts.agent.health.attention});
  if (finding.severity != FindingSeverity::info)
    finding.remediations.push_back(
        {.hint = "Update the agent; every build expires nine months after its release."});
  return std::vector{finding};
}

CheckOutcome too_old(const CheckContext& c) {
  if (!c.facts.agent.build) return NotRun{kNoBuild};
  const BuildVersion& build = *c.facts.agent.build;
  if (build >= kFirstEbpfDefault) return std::vector<Finding>{};
  Finding finding;
  const bool preview = build >= kFirstEbpfPreview;
  finding.severity = preview ? FindingSeverity::medium : FindingSeverity::high;
  finding.blocks = preview ? Blocks::overridable : Blocks::mandatory;
  finding.diagnosis = preview ? "Build " + build.to_string() + " has the eBPF sensor as a preview only."
                              : "Build " + build.to_string() + " has no eBPF sensor; the first is " +
                                    kFirstEbpfPreview.to_string() + ".";
  finding.evidence.push_back(build_evidence(c));
  finding.data = {{"build", build.to_string()}, {"needed", kFirstEbpfDefault.to_string()}};
  finding.remediations.push_back(
      {.hint = "Update the agent to " + kFirstEbpfDefault.to_string() + " or later before the switch."});
  return std::vector{finding};
}

CheckOutcome immutable_hang(const CheckContext& c) {
  if (!c.facts.agent.build) return NotRun{kNoBuild};
  const BuildVersion& build = *c.facts.agent.build;
  if (build < kImmutableHangFirst || build >= kImmutableHangFixed) return std::vector<Finding>{};
  const BootLock lock = boot_lock(c.facts);
  if (c.facts.audit.status.state != AuditState::immutable && !lock.locked) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::overridable;
  finding.diagnosis =
      "Build " + build.to_string() +
      " hangs the server after a reboot when audit is immutable and mdatp.rules is still there.";
  finding.evidence.push_back(build_evidence(c));
  if (lock.locked) finding.evidence.push_back(lock.evidence);
  finding.data = {{"build", build.to_string()}, {"fixed_in", kImmutableHangFixed.to_string()}};
  finding.remediations.push_back(
      {.hint = "Update the agent to " + kImmutableHangFixed.to_string() +
               " or later. Else Defender's rules must be gone from disk before any reboot."});
  return std::vector{finding};
}

CheckOutcome disables_itself(const CheckContext& c) {
  if (!c.facts.agent.build) return NotRun{kNoBuild};
  const BuildVersion& build = *c.facts.agent.build;
  if (build < kDisablesItselfFirst || build > kDisablesItselfLast) return std::vector<Finding>{};
  Finding finding;
  const bool enabled = c.facts.agent.service == Enabled::yes;
  finding.severity = enabled ? FindingSeverity::low : FindingSeverity::high;
  finding.diagnosis =
      "Build " + build.to_string() + " may disable its own service on upgrade; it is " +
      (enabled ? "enabled now." : "not enabled now (" + std::string(to_string(c.facts.agent.service)) + ").");
  finding.evidence.push_back(build_evidence(c));
  finding.data = {{"build", build.to_string()}, {"service", to_string(c.facts.agent.service)}};
  finding.remediations.push_back({.hint = "Check this right before a reboot.",
                                  .argv = {"systemctl", "is-enabled", "mdatp"},
                                  .safe = true});
  return std::vector{finding};
}

CheckOutcome service_off(const CheckContext& c) {
  const Enabled enabled = c.facts.agent.service;
  if (enabled == Enabled::unknown) return NotRun{"the service's links could not be read"};
  if (enabled == Enabled::yes) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = enabled == Enabled::absent
                          ? "The agent is installed, but has no service unit."
                          : "The agent does not start at boot: its service is " +
                                std::string(enabled == Enabled::masked ? "masked." : "not enabled.");
  finding.data = {{"service", to_string(enabled)}};
  const bool native = c.facts.agent.kind != AgentKind::mdatp;
  if (native && enabled == Enabled::no) {  // as its package leaves it
    finding.severity = FindingSeverity::info;
    finding.blocks = Blocks::none;
    finding.diagnosis += " A switch enables it.";
  }
  const char* unit = native ? paths::kNativeService : paths::kMdatpService;
  finding.remediations.push_back(
      {.hint = "Enable it before any reboot.", .argv = {"systemctl", "enable", unit}});
  return std::vector{finding};
}

CheckOutcome subsystem(const CheckContext& c) {
  if (c.facts.agent.subsystem.empty()) return NotRun{"the agent did not tell its event provider"};
  const std::string& now = c.facts.agent.subsystem;
  Finding finding;
  finding.severity = now == "ebpf" || now == "auditd" ? FindingSeverity::info : FindingSeverity::medium;
  finding.diagnosis = now == "ebpf"     ? "The agent takes its events from eBPF already."
                      : now == "auditd" ? "The agent takes its supplementary events from auditd."
                                        : "The agent's supplementary events come from \"" + now + "\".";
  finding.evidence.push_back({"mdatp health", 0, "supplementary_events_subsystem : " + now});
  finding.data = {{"subsystem", now}};
  return std::vector{finding};
}

CheckOutcome managed_invalid(const CheckContext& c) {
  if (c.facts.agent.managed.error.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::mandatory;
  finding.diagnosis = "The managed configuration cannot be used: " + c.facts.agent.managed.error + ".";
  finding.evidence.push_back({c.facts.agent.managed.path, 0, c.facts.agent.managed.error});
  finding.data = {{"file", c.facts.agent.managed.path}};
  finding.remediations.push_back(
      {.hint = "Mend the file; a switch edits it and must not lose what it holds."});
  return std::vector{finding};
}

CheckOutcome managed_odd(const CheckContext& c) {
  if (c.facts.agent.managed.problems.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = "The managed configuration holds " +
                      base::count_of(c.facts.agent.managed.problems.size(), "oddity", "oddities") + ".";
  for (const std::string& problem : c.facts.agent.managed.problems)
    finding.evidence.push_back({c.facts.agent.managed.path, 0, problem});
  finding.data = {{"problems", c.facts.agent.managed.problems}};
  return std::vector{finding};
}

CheckOutcome managed_overridden(const CheckContext& c) {
  if (!c.facts.agent.managed_overridden) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.diagnosis =
      "mdeattach_managed.json lies beside the managed configuration: the agent takes its settings from the "
      "portal and "
      "reads mdatp_managed.json for global exclusions, offline updates and proxy only.";
  finding.evidence.push_back({paths::kMdatpAttachManaged, 0, "present"});
  finding.data = {{"file", paths::kMdatpAttachManaged}};
  finding.remediations.push_back({.hint = "Set the event provider in the portal's policy; global exclusions "
                                          "in mdatp_managed.json still count."});
  return std::vector{finding};
}

CheckOutcome managed_policy(const CheckContext& c) {
  const ManagedConfig& managed = c.facts.agent.managed;
  const bool admin_only = managed.merge_policy == "admin_only";
  const bool disabled = managed.ebpf_provider == "disabled";
  if (!admin_only && !disabled) return std::vector<Finding>{};
  Finding finding;
  finding.severity = disabled ? FindingSeverity::medium : FindingSeverity::info;
  if (disabled) {
    finding.diagnosis = "The managed configuration switches eBPF off; it wins over the command line.";
    finding.evidence.push_back({managed.path, 0, "features.ebpfSupplementaryEventProvider: disabled"});
    finding.remediations.push_back(
        {.hint = "A switch changes this; a tool that deploys the file must be changed as well."});
  }
  if (admin_only) {
    finding.diagnosis += std::string(disabled ? " " : "") +
                         "Its merge policy admin_only drops all exclusions that were added on this host.";
    finding.evidence.push_back({managed.path, 0, "exclusionSettings.mergePolicy: admin_only"});
  }
  finding.data = {{"ebpf_provider", managed.ebpf_provider.value_or("")},
                  {"merge_policy", managed.merge_policy.value_or("")}};
  return std::vector{finding};
}

CheckOutcome exclusion_floor(const CheckContext& c) {
  if (!c.facts.agent.build) return NotRun{kNoBuild};
  if (*c.facts.agent.build >= kGlobalExclusions) return std::vector<Finding>{};
  const bool wanted = std::any_of(c.exclusions.begin(), c.exclusions.end(),
                                  [](const ExclusionIntent& e) { return e.entry.has_value(); });
  if (!wanted) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  const bool preview = *c.facts.agent.build >= kGlobalExclusionsPreview;
  finding.diagnosis = "Build " + c.facts.agent.build->to_string() +
                      (preview ? " knows global exclusions as a preview, by managed configuration only."
                               : " does not know global exclusions.") +
                      " They are complete from " + kGlobalExclusions.to_string() + ".";
  finding.evidence.push_back(build_evidence(c));
  finding.data = {{"build", c.facts.agent.build->to_string()},
                  {"needed", kGlobalExclusions.to_string()},
                  {"preview", preview}};
  finding.remediations.push_back({.hint = "Update the agent before carrying exclusions over."});
  return std::vector{finding};
}

CheckOutcome drop_ins_deleted(const CheckContext& c) {
  if (!c.facts.agent.build) return NotRun{kNoBuild};
  if (*c.facts.agent.build < kDropInsDeletedFirst || *c.facts.agent.build >= kDropInsDeletedFixed)
    return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis =
      "Build " + c.facts.agent.build->to_string() + " deletes drop-in files in mdatp.service.d.";
  finding.evidence.push_back(build_evidence(c));
  finding.data = {{"build", c.facts.agent.build->to_string()},
                  {"fixed_in", kDropInsDeletedFixed.to_string()}};
  finding.remediations.push_back({.hint = "Keep a copy of your drop-ins, or update the agent."});
  return std::vector{finding};
}

constexpr Check kChecks[] = {
    {"AGT001", "No endpoint agent", "The agent is Defender for Endpoint or this project's own sensor.",
     always, no_agent},
    {"AGT002", "The agent does not answer",
     "The agent's own health report tells build, event provider and expiry.", is_mdatp, not_answering},
    {"AGT003", "Build unknown", "Several faults depend on the agent's build.", is_mdatp, build_unknown},
    {"AGT004", "Expiry of the agent's build",
     "Every build expires nine months after its release; that is the time a transition has.", is_mdatp,
     expiry},
    {"AGT005", "Build without eBPF sensor",
     "eBPF came as a preview with 101.23052.0009 and as the default with 101.23082.0006.", is_mdatp, too_old},
    {"AGT006", "Hang with immutable audit",
     "Builds 101.23082.0006 to .0010 hang a server that boots with immutable audit and Defender's rules.",
     is_mdatp, immutable_hang},
    {"AGT007", "Build that disables its own service",
     "Builds 101.26042.0000 to .0009 may leave their service disabled after an upgrade.", is_mdatp,
     disables_itself},
    {"AGT008", "The agent does not start at boot",
     "After a reboot only an enabled service protects the host.", has_agent, service_off},
    {"AGT009", "Event provider", "supplementary_events_subsystem names where the agent takes events from.",
     has_agent, subsystem},
    {"AGT010", "Managed configuration invalid",
     "The agent ignores a managed configuration that is no valid JSON.", has_managed, managed_invalid},
    {"AGT011", "Oddities in the managed configuration",
     "Misspelt values and keys that stand twice are ignored without a word.", has_managed, managed_odd},
    {"AGT012", "Managed configuration overridden",
     "A file mdeattach_managed.json, even an empty one, turns to the portal for settings.", is_mdatp,
     managed_overridden},
    {"AGT013", "Managed policy", "The managed configuration wins over settings made on the host.",
     has_managed, managed_policy},
    {"AGT014", "Global exclusions need a newer build", "Only global exclusions reach the eBPF sensor.",
     is_mdatp, exclusion_floor},
    {"AGT015", "Drop-ins are deleted", "A fault of the builds 101.25012 to 101.25022.", is_mdatp,
     drop_ins_deleted},
};

}  // namespace

std::span<const Check> agent_checks() { return kChecks; }

}  // namespace auditshift::migrate
