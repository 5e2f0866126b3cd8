// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/text.h"
#include "migrate/check.h"

namespace auditshift::migrate {
namespace {

using auditd::AuditState;
using base::count_of;

bool audit_present(const CheckContext& c) { return c.facts.audit.status.state != AuditState::absent; }
bool has_rules(const CheckContext& c) { return !c.rules.empty(); }

CheckOutcome audit_absent(const CheckContext& c) {
  const auditd::AuditStatus& status = c.facts.audit.status;
  if (status.state != AuditState::absent) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = "This kernel runs without audit: " + status.reason;
  if (c.facts.host.command_line) finding.evidence.push_back({"/proc/cmdline", 0, *c.facts.host.command_line});
  finding.data = {{"reason", status.reason}};
  finding.remediations.push_back(
      {.hint = "Nothing has to be removed from the kernel; files on disk are still cleaned. Logins "
               "and other messages of user space are not recorded while audit is absent."});
  return std::vector{finding};
}

CheckOutcome audit_unknown(const CheckContext& c) {
  const auditd::AuditStatus& status = c.facts.audit.status;
  if (status.state != AuditState::unknown) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = "The kernel's audit state could not be read: " + status.reason;
  finding.data = {{"reason", status.reason}};
  if (c.facts.host.live)
    finding.remediations.push_back({.hint = "Run the assessment as root in the host's own namespaces.",
                                    .argv = {"sudo", "auditshift", "assess"},
                                    .safe = true});
  else
    finding.remediations.push_back(
        {.hint = "Capture the host again as root; the capture lacks the answer of auditctl -s."});
  return std::vector{finding};
}

CheckOutcome immutable_now(const CheckContext& c) {
  const auditd::AuditStatus& status = c.facts.audit.status;
  if (status.state == AuditState::unknown) return NotRun{status.reason};
  if (status.state != AuditState::immutable) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.diagnosis = "Audit is locked (enabled 2): no rule can be removed until this machine boots again.";
  finding.evidence.push_back({"kernel audit status", 0, "enabled 2"});
  for (const Evidence& line : c.facts.agent.immutable_complaints) finding.evidence.push_back(line);
  finding.data = {{"enabled", 2}, {"reboot_needed", !defender_rules_live(c).empty()}};
  finding.remediations.push_back({.hint = "Remove Defender's rules from disk first, from rules.d and from "
                                          "the compiled file, then reboot. A soft "
                                          "reboot (systemctl soft-reboot) keeps the kernel and its lock.",
                                  .reboot = true});
  return std::vector{finding};
}

CheckOutcome immutable_at_boot(const CheckContext& c) {
  const BootLock lock = boot_lock(c.facts);
  if (!lock.locked) return std::vector<Finding>{};
  Finding finding;
  const bool defender =
      !defender_rules(c, Place::rules_d).empty() || !defender_rules(c, Place::compiled).empty();
  finding.severity = defender ? FindingSeverity::medium : FindingSeverity::info;
  finding.diagnosis = defender
                          ? "The next boot locks audit again, with the Defender rules that are on disk now."
                          : "The next boot locks audit with the rules that are on disk now.";
  finding.evidence.push_back(lock.evidence);
  finding.data = {{"file", lock.evidence.file}, {"line", lock.evidence.line}};
  finding.remediations.push_back(
      {.hint =
           defender
               ? "Have Defender's rules gone from disk before the next boot; the lock itself stays as it is."
               : "Nothing: the lock is yours and stays."});
  return std::vector{finding};
}

/// Severity of a Defender rule that is still there: a leftover once the agent is on eBPF, the normal case
/// before.
FindingSeverity defender_severity(const CheckContext& c) {
  return c.facts.agent.subsystem == "ebpf" ? FindingSeverity::medium : FindingSeverity::low;
}

std::vector<Finding> defender_finding(const CheckContext& c, const std::vector<const InventoryRule*>& rules,
                                      const std::string& where, const std::string& hint) {
  if (rules.empty()) return {};
  Finding finding;
  finding.severity = defender_severity(c);
  finding.diagnosis = count_of(rules.size(), "line") + " of Defender's audit configuration " +
                      (rules.size() == 1 ? "is " : "are ") + where + ".";
  finding.evidence = evidence_of(rules);
  std::set<std::string> files;
  for (const InventoryRule* rule : rules)
    if (!rule->origin.file.empty()) files.insert(rule->origin.file);
  finding.data = {{"count", rules.size()}, {"files", files}};
  finding.remediations.push_back({.hint = hint});
  return {finding};
}

CheckOutcome defender_on_disk(const CheckContext& c) {
  return defender_finding(
      c, defender_rules(c, Place::rules_d), "in rules.d",
      "A switch removes them once the eBPF sensor is proven; rules of your own in the same files stay.");
}

CheckOutcome defender_compiled(const CheckContext& c) {
  std::vector<const InventoryRule*> rules = defender_rules(c, Place::compiled);
  for (const InventoryRule& rule : c.rules)
    if (rule.place == Place::rules_d && rule.compiled && is_defender_rule(rule)) rules.push_back(&rule);
  std::vector<Finding> findings = defender_finding(
      c, rules, "in the compiled /etc/audit/audit.rules",
      "The compiled file is written anew by the host's loader, or cleaned where rules.d is not used.");
  if (!findings.empty()) findings.front().data["loader"] = to_string(c.facts.audit.layout.loader);
  return findings;
}

CheckOutcome defender_live(const CheckContext& c) {
  if (!c.facts.audit.live.known) return NotRun{c.facts.audit.live.reason};
  const bool locked = c.facts.audit.status.state == AuditState::immutable;
  std::vector<Finding> findings =
      defender_finding(c, defender_rules_live(c), "loaded in the kernel",
                       locked ? "They leave with the next boot, once they are gone from disk."
                              : "A switch deletes exactly these, one by one; no other rule is touched.");
  if (!findings.empty() && locked) findings.front().remediations.front().reboot = true;
  return findings;
}

CheckOutcome leftovers(const CheckContext& c) {
  Finding finding;
  for (const auditd::Plugin& plugin : c.facts.audit.layout.plugins) {
    if (plugin.program.find("mdatp") == std::string::npos) continue;
    finding.evidence.push_back(
        {plugin.path, 0, std::string(plugin.active ? "active, " : "not active, ") + plugin.program});
  }
  std::set<std::string> files;
  for (const auditd::RuleFile& file : c.facts.audit.layout.rules_d) {
    const FileRole role = role_of(file);
    if (role == FileRole::ordinary || role == FileRole::defender_rules || !files.insert(file.path).second)
      continue;
    finding.evidence.push_back({file.path, 0,
                                role == FileRole::support_tool
                                    ? "exclusions written by the vendor's support tool"
                                    : "marked as managed by Defender"});
  }
  if (finding.evidence.empty()) return std::vector<Finding>{};
  finding.severity = c.facts.agent.subsystem == "ebpf" ? FindingSeverity::medium : FindingSeverity::info;
  finding.diagnosis = count_of(finding.evidence.size(), "file") +
                      " that only served Defender's use of audit " +
                      (finding.evidence.size() == 1 ? "is" : "are") + " on this host.";
  base::Json paths = base::Json::array();
  for (const Evidence& evidence : finding.evidence) paths.push_back(evidence.file);
  finding.data = {{"files", paths}};
  finding.remediations.push_back({.hint = "A switch removes them after the sensor is proven; the support "
                                          "tool's exclusions only when each is settled."});
  return std::vector{finding};
}

CheckOutcome disabled_now(const CheckContext& c) {
  if (c.facts.audit.status.state == AuditState::unknown) return NotRun{c.facts.audit.status.reason};
  if (c.facts.audit.status.state != AuditState::disabled) return std::vector<Finding>{};
  Finding finding;
  const bool rules =
      std::any_of(c.rules.begin(), c.rules.end(), [](const InventoryRule& r) { return r.rule.has_value(); });
  finding.severity = rules ? FindingSeverity::medium : FindingSeverity::info;
  finding.diagnosis =
      "Audit is switched off (enabled 0): rules record nothing, and messages of user space such as logins "
      "are dropped.";
  finding.evidence.push_back({"kernel audit status", 0, "enabled 0"});
  finding.data = {{"enabled", 0}};
  finding.remediations.push_back({.hint = "If audit is meant to run, start auditd, which switches it on."});
  return std::vector{finding};
}

CheckOutcome losing_events(const CheckContext& c) {
  const auditd::AuditStatus& status = c.facts.audit.status;
  if (!status.lost)
    return NotRun{status.reason.empty() ? "the kernel did not report its counters" : status.reason};
  const std::uint32_t limit = status.backlog_limit.value_or(0);
  const bool crowded = limit != 0 && status.backlog.value_or(0) > limit / 4 * 3;
  if (*status.lost == 0 && !crowded) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  finding.diagnosis = *status.lost != 0 ? "Audit has lost " + count_of(*status.lost, "record") +
                                              " since boot or since the last reset."
                                        : "Audit's queue is more than three quarters full.";
  finding.evidence.push_back({"kernel audit status", 0,
                              "lost " + std::to_string(*status.lost) + ", backlog " +
                                  std::to_string(status.backlog.value_or(0)) + " of " +
                                  std::to_string(limit)});
  finding.data = {{"lost", *status.lost}, {"backlog", status.backlog.value_or(0)}, {"backlog_limit", limit}};
  finding.remediations.push_back(
      {.hint = "Removing Defender's rules takes this load away. Until then a larger -b in the rules helps."});
  return std::vector{finding};
}

CheckOutcome drift(const CheckContext& c) {
  if (!c.facts.audit.live.known) return NotRun{c.facts.audit.live.reason};
  if (c.facts.audit.drift.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  std::size_t counts[4] = {};
  for (const auditd::Drift& drift : c.facts.audit.drift) {
    ++counts[static_cast<std::size_t>(drift.kind)];
    static constexpr const char* kWords[] = {
        "augenrules would write another file",
        "on disk, not in the kernel: ", "in the kernel, not on disk: ", "loaded in another order: "};
    if (finding.evidence.size() < 20)
      finding.evidence.push_back(
          {drift.origin.file, drift.origin.line, kWords[static_cast<std::size_t>(drift.kind)] + drift.text});
  }
  std::vector<std::string> parts;
  if (counts[0] != 0) parts.emplace_back("the compiled file is out of date");
  if (counts[1] != 0) parts.push_back(count_of(counts[1], "rule") + " on disk not loaded");
  if (counts[2] != 0) parts.push_back(count_of(counts[2], "rule") + " loaded and on no disk");
  if (counts[3] != 0) parts.emplace_back("the order differs");
  finding.diagnosis = "Disk and kernel do not agree: " + base::join(parts, ", ") + ".";
  finding.data = {{"compiled_outdated", counts[0] != 0},
                  {"not_in_kernel", counts[1]},
                  {"not_on_disk", counts[2]},
                  {"order_differs", counts[3] != 0}};
  finding.remediations.push_back({.hint = "See what a reload would say before the switch.",
                                  .argv = {"augenrules", "--check"},
                                  .safe = true});
  return std::vector{finding};
}

CheckOutcome configuration_management(const CheckContext& c) {
  if (c.facts.audit.configuration_management.empty()) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::medium;
  std::set<std::string> tools;
  for (const Evidence& evidence : c.facts.audit.configuration_management)
    tools.insert(evidence.text.substr(0, evidence.text.find(':')));
  std::vector<std::string> names(tools.begin(), tools.end());
  finding.diagnosis = "Audit files on this host carry the marks of " + base::join(names, ", ") +
                      ". What a tool like that owns, it will put back.";
  finding.evidence = c.facts.audit.configuration_management;
  finding.data = {{"tools", tools}};
  finding.remediations.push_back({.hint = "Take Defender's rules out of that tool's sources before the "
                                          "switch, else they return with its next run."});
  return std::vector{finding};
}

CheckOutcome daemon_missing(const CheckContext& c) {
  if (c.facts.audit.auditd_enabled == Enabled::yes || c.facts.audit.auditd_enabled == Enabled::unknown)
    return std::vector<Finding>{};
  if (c.facts.audit.auditd_running.value_or(false)) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = c.facts.audit.auditd_enabled == Enabled::absent
                          ? "Rules are here, but auditd is not installed."
                          : "Rules are here, but auditd does not start at boot (" +
                                std::string(to_string(c.facts.audit.auditd_enabled)) + ").";
  finding.data = {{"auditd_enabled", to_string(c.facts.audit.auditd_enabled)}};
  return std::vector{finding};
}

constexpr Check kChecks[] = {
    {"AUD001", "Kernel without audit",
     "Audit can be left out of a kernel or switched off with audit=0 on its command line. Then no rule can "
     "be loaded and no audit message is recorded.",
     always, audit_absent},
    {"AUD002", "Audit state unknown",
     "The kernel tells its audit state only to a process with CAP_AUDIT_CONTROL in the host's own user and "
     "process namespaces.",
     always, audit_unknown},
    {"AUD003", "Audit is immutable",
     "With enabled 2 the kernel refuses every change of the rules until it boots again. Rules on disk decide "
     "what that boot loads.",
     audit_present, immutable_now},
    {"AUD004", "Audit becomes immutable at boot",
     "A line -e 2 among the rules on disk locks audit at the end of the load, with all rules loaded before "
     "it.",
     has_rules, immutable_at_boot},
    {"AUD005", "Defender's rules in rules.d",
     "Builds before 101.24082 fed their sensor from audit and left rules with the keys mdatp and mdatpmbr.",
     has_rules, defender_on_disk},
    {"AUD006", "Defender's rules in the compiled file",
     "What the boot loads is the compiled /etc/audit/audit.rules. Hosts without augenrules load it as it is, "
     "whatever rules.d says.",
     has_rules, defender_compiled},
    {"AUD007", "Defender's rules in the kernel",
     "Loaded rules cost time with every matching system call, whether anybody reads the records or not.",
     audit_present, defender_live},
    {"AUD008", "Leftovers of Defender's use of audit",
     "Beside its rules Defender leaves a dispatcher plugin, a rate limit, a file that makes the loader skip "
     "bad rules, and the exclusions its support tool wrote.",
     always, leftovers},
    {"AUD009", "Audit switched off", "With enabled 0 rules stay loaded but nothing is recorded.",
     audit_present, disabled_now},
    {"AUD010", "Audit loses records",
     "Records that find the queue full are lost after the process has waited for room.", audit_present,
     losing_events},
    {"AUD011", "Disk and kernel differ",
     "Rules on disk, the compiled file and the kernel should say the same; a reload or a boot makes the "
     "disk's version true.",
     audit_present, drift},
    {"AUD012", "Configuration management owns the audit files",
     "A tool that rewrites the rules brings removed ones back, and with them, after the next boot, a locked "
     "audit.",
     always, configuration_management},
    {"AUD013", "auditd does not start",
     "Without the daemon records go to the kernel log and to the journal only.", has_rules, daemon_missing},
};

}  // namespace

std::span<const Check> audit_checks() { return kChecks; }

}  // namespace auditshift::migrate
