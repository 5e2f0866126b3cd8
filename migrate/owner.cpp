// SPDX-License-Identifier: Apache-2.0
#include "migrate/owner.h"

#include <algorithm>

namespace auditshift::migrate {
namespace {

/// In the header comment of files that Defender manages itself.
constexpr std::string_view kDefenderGuid = "cdbb87e7-66d1-40e8-b090-30ff3e88fc08";

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool has_defender_key(const auditd::Rule& rule) {
  const auto keys = rule.keys();
  return std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return is_defender_key(key); });
}

bool has_key(const auditd::Rule& rule, std::string_view wanted) {
  const auto keys = rule.keys();
  return std::find(keys.begin(), keys.end(), wanted) != keys.end();
}

}  // namespace

std::string_view to_string(Owner owner) {
  switch (owner) {
    case Owner::defender:
      return "defender";
    case Owner::defender_exclusion:
      return "defender-exclusion";
    case Owner::exclusion:
      return "exclusion";
    case Owner::user:
      return "user";
    case Owner::control:
      return "control";
  }
  return "unknown";
}

FileRole role_of(const auditd::RuleFile& file) {
  const std::string_view name = base_name(file.path);
  // The GUID stands in the first comment lines of a file that Defender manages; a whole compiled
  // audit.rules may hold such a comment further down and is nobody's file.
  const std::string_view head = std::string_view(file.content).substr(0, 1024);
  if (name == "mdatp.rules") return FileRole::defender_rules;
  if (name != "audit.rules" && head.find(kDefenderGuid) != std::string_view::npos)
    return FileRole::defender_managed;
  if (name == "exclude.rules") return FileRole::support_tool;
  return FileRole::ordinary;
}

bool is_defender_key(std::string_view key) { return key == "mdatp" || key == "mdatpmbr"; }

bool excludes(const auditd::Rule& rule) {
  return rule.filter == auditd::Filter::exclude || rule.action == auditd::Action::never;
}

Owner owner_of(const auditd::Rule& rule, FileRole role) {
  if (has_defender_key(rule)) return Owner::defender;
  if (role == FileRole::defender_rules || role == FileRole::defender_managed) return Owner::defender;
  if (!excludes(rule)) return Owner::user;
  // The support tool's key; it also names live rules, which have no file any more.
  if (role == FileRole::support_tool || (has_key(rule, "exclude") && rule.filter == auditd::Filter::exit))
    return Owner::defender_exclusion;
  return Owner::exclusion;
}

Owner owner_of(const auditd::Control& control, FileRole role) {
  (void)control;
  return role == FileRole::defender_rules || role == FileRole::defender_managed ? Owner::defender
                                                                                : Owner::control;
}

}  // namespace auditshift::migrate
