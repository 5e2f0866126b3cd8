// SPDX-License-Identifier: Apache-2.0
#include "auditd/loader.h"

#include <algorithm>
#include <optional>

#include "auditd/paths.h"
#include "auditd/unit_file.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr const char* kDaemonUnit = "auditd.service";
constexpr const char* kRulesUnit = "audit-rules.service";

/// Words of a command, also of one inside `sh -c "…"`; systemd's prefixes of the program are left out.
std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  constexpr std::string_view kBreaks = " \t\"';&|";
  while (!command.empty() && std::string_view("-@:+!|").find(command.front()) != std::string_view::npos)
    command.remove_prefix(1);
  for (std::size_t at = 0; at < command.size();) {
    const std::size_t begin = std::min(command.find_first_not_of(kBreaks, at), command.size());
    const std::size_t end = std::min(command.find_first_of(kBreaks, begin), command.size());
    if (end > begin) words.emplace_back(command.substr(begin, end - begin));
    at = end;
  }
  return words;
}

bool names_program(const std::string& word, std::string_view program) {
  return std::string_view(word).substr(word.rfind('/') + 1) == program;
}

/// What one command line loads, or nothing.
std::optional<LoaderFinding> loader_of_command(const std::string& command) {
  const std::vector<std::string> words = words_of(command);
  LoaderFinding finding;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (names_program(words[i], "augenrules") &&
        std::find(words.begin() + static_cast<std::ptrdiff_t>(i), words.end(), "--load") != words.end()) {
      finding.loader = Loader::augenrules;
      return finding;
    }
    if (!names_program(words[i], "auditctl")) continue;
    for (std::size_t k = i + 1; k < words.size(); ++k) {
      if (!words[k].starts_with("-R")) continue;
      finding.loader = Loader::plain;
      if (words[k].size() > 2) finding.rules_file = words[k].substr(2);
      if (words[k].size() == 2 && k + 1 < words.size()) finding.rules_file = words[k + 1];
      if (!finding.rules_file.empty()) return finding;
    }
  }
  return std::nullopt;
}

/// The strongest loader among a unit's commands: augenrules, which also loads what it wrote, then auditctl.
std::optional<LoaderFinding> loader_of_unit(const Unit& unit) {
  std::optional<LoaderFinding> best;
  for (const char* name : {"ExecStartPre", "ExecStart", "ExecStartPost"}) {
    for (const UnitSetting* setting : unit.list("Service", name)) {
      auto finding = loader_of_command(setting->value);
      if (!finding || (best && best->loader == Loader::augenrules)) continue;
      finding->origin = setting->origin;
      finding->evidence = setting->origin.file + ":" + std::to_string(setting->origin.line) + ": " +
                          setting->name + "=" + setting->value;
      best = std::move(finding);
    }
  }
  return best;
}

/// The setting by which `unit` starts `other`, or null.
const UnitSetting* pulls_in(const Unit& unit, std::string_view other) {
  for (const char* name : {"Requires", "Wants", "BindsTo", "Requisite", "Upholds"}) {
    for (const UnitSetting* setting : unit.list("Unit", name))
      for (const std::string_view word : base::split(setting->value, ' '))
        if (word == other) return setting;
  }
  return nullptr;
}

/// Why a unit does not start at boot, or empty when it does.
std::string why_not_started(const Unit& unit, const char* name) {
  if (!unit.exists()) return std::string(name) + ": no such unit";
  if (unit.masked) return unit.file + ": masked";
  if (unit.enabled_by.empty()) return unit.file + ": not enabled";
  return {};
}

LoaderFinding find_in_units(const Unit& daemon, const Unit& rules) {
  std::string daemon_off = why_not_started(daemon, kDaemonUnit);
  std::string rules_off = why_not_started(rules, kRulesUnit);
  // Enabled or not, each may be started by the other (auditd.service of audit 4 wants audit-rules.service).
  if (daemon_off.empty() && rules.exists() && !rules.masked && pulls_in(daemon, kRulesUnit) != nullptr)
    rules_off.clear();
  if (rules_off.empty() && daemon.exists() && !daemon.masked && pulls_in(rules, kDaemonUnit) != nullptr)
    daemon_off.clear();

  if (rules_off.empty()) {
    if (auto finding = loader_of_unit(rules)) {
      if (finding->loader == Loader::augenrules) finding->loader = Loader::audit_rules_service;
      return *finding;
    }
  }
  if (daemon_off.empty()) {
    if (auto finding = loader_of_unit(daemon)) return *finding;
    daemon_off = daemon.file + ": runs neither augenrules --load nor auditctl -R";
    for (const std::string& error : daemon.errors) daemon_off += "; " + error;
  }
  LoaderFinding none;
  none.evidence = daemon_off;
  if (rules.exists())
    none.evidence += "; " + (rules_off.empty() ? rules.file + ": loads no rules" : rules_off);
  none.origin = {daemon.file, 0};
  return none;
}

/// The last USE_AUGENRULES= of a shell file, quotes taken off.
std::optional<std::pair<std::string, Origin>> use_augenrules(const base::Sysroot& host) {
  std::optional<std::pair<std::string, Origin>> found;
  for (const char* path : paths::kSysvSettings) {
    const auto content = host.read_file(path, std::size_t{1} << 20);
    if (!content) continue;
    int number = 0;
    for (std::string_view line : base::split(*content, '\n')) {
      ++number;
      line = base::trim(line);
      if (!line.starts_with("USE_AUGENRULES=")) continue;
      std::string value = base::to_lower(line.substr(line.find('=') + 1));
      value = base::trim(std::string_view(value).substr(0, value.find('#')));
      std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
      found = {value, {path, number}};
    }
    if (found) return found;
  }
  return found;
}

/// Debian's script compiles unless told "no"; Red Hat's only when told something else than "no"; old ones
/// know nothing of rules.d.
bool sysv_compiles(std::string_view script, const std::optional<std::string>& setting) {
  if (script.find("augenrules") == std::string_view::npos) return false;
  if (setting && !setting->empty()) return *setting != "no";
  return script.find("x\"$USE_AUGENRULES\"") == std::string_view::npos;
}

LoaderFinding find_in_sysv(const base::Sysroot& host) {
  LoaderFinding finding;
  const auto script = host.read_file(paths::kSysvScript, std::size_t{1} << 20);
  if (!script) {
    finding.evidence = "no auditd.service, no audit-rules.service; " + script.error().message();
    return finding;
  }
  const auto setting = use_augenrules(host);
  if (setting) {
    finding.origin = setting->second;
    finding.evidence = setting->second.file + ":" + std::to_string(setting->second.line) +
                       ": USE_AUGENRULES=" + setting->first;
  } else {
    finding.origin = {paths::kSysvScript, 0};
    finding.evidence = std::string(paths::kSysvScript) + ": USE_AUGENRULES is not set";
  }
  const bool compiles =
      sysv_compiles(*script, setting ? std::optional<std::string>(setting->first) : std::nullopt);
  finding.loader = compiles ? Loader::augenrules : Loader::plain;
  if (!compiles) finding.rules_file = paths::kCompiledRules;
  return finding;
}

}  // namespace

LoaderFinding find_loader(const base::Sysroot& host) {
  const Unit daemon = read_unit(host, kDaemonUnit);
  const Unit rules = read_unit(host, kRulesUnit);
  if (!daemon.exists() && !rules.exists()) return find_in_sysv(host);
  return find_in_units(daemon, rules);
}

}  // namespace auditshift::auditd
