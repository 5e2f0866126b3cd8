// SPDX-License-Identifier: Apache-2.0
#include "auditd/unit_file.h"

#include <map>

#include "auditd/paths.h"
#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr std::size_t kUnitLimit = std::size_t{1} << 20;

/// systemd takes a link to /dev/null, and an empty file, for "this unit must not start".
bool is_mask(const base::Sysroot& host, const std::string& path) {
  const auto info = host.lstat(path);
  if (!info) return false;
  if (info->is_symlink()) {
    const auto target = host.read_link(path);
    if (target && *target == "/dev/null") return true;
  }
  const auto followed = host.stat(path);
  return followed && followed->is_regular() && followed->size == 0;
}

void read_settings(const base::Sysroot& host, const std::string& path, Unit& unit) {
  const auto content = host.read_file(path, kUnitLimit);
  if (!content) {
    unit.errors.push_back(content.error().message());
    return;
  }
  for (UnitSetting& setting : parse_unit(*content, path)) unit.settings.push_back(std::move(setting));
}

/// Drop-ins by file name: the same name in a stronger directory hides the weaker one (systemd.unit(5)).
std::map<std::string, std::string> find_drop_ins(const base::Sysroot& host, const std::string& unit) {
  std::map<std::string, std::string> found;
  const std::string type = unit.substr(unit.rfind('.') + 1);
  for (const std::string& owner : {unit, type}) {
    for (const char* directory : paths::kUnitDirectories) {
      const std::string drop_ins = std::string(directory) + "/" + owner + ".d";
      const auto entries = host.list(drop_ins);
      if (!entries) continue;
      for (const base::DirectoryEntry& entry : *entries)
        if (entry.name.ends_with(".conf")) found.emplace(entry.name, drop_ins + "/" + entry.name);
    }
  }
  return found;
}

std::string find_enabling_link(const base::Sysroot& host, const std::string& unit) {
  for (const char* directory : paths::kUnitDirectories) {
    const auto entries = host.list(directory);
    if (!entries) continue;
    for (const base::DirectoryEntry& entry : *entries) {
      if (!entry.name.ends_with(".wants") && !entry.name.ends_with(".requires")) continue;
      std::string link = std::string(directory) + "/" + entry.name + "/" + unit;
      if (host.lstat(link)) return link;
    }
  }
  return {};
}

}  // namespace

std::vector<UnitSetting> parse_unit(std::string_view text, const std::string& file) {
  std::vector<UnitSetting> settings;
  std::string section;
  std::string logical;
  int first_line = 0;
  int number = 0;
  for (const std::string_view line : base::split(text, '\n')) {
    ++number;
    const std::string_view trimmed = base::trim(line);
    // A comment inside a continued line is passed over, and the line goes on after it.
    if (trimmed.starts_with('#') || trimmed.starts_with(';')) continue;
    if (logical.empty()) first_line = number;
    if (trimmed.ends_with('\\')) {
      logical += std::string(trimmed.substr(0, trimmed.size() - 1)) + " ";
      continue;
    }
    logical += trimmed;
    const std::string_view whole = base::trim(logical);
    const std::size_t equals = whole.find('=');
    if (whole.starts_with('[') && whole.ends_with(']')) {
      section = std::string(whole.substr(1, whole.size() - 2));
    } else if (equals != std::string_view::npos) {
      settings.push_back({section,
                          std::string(base::trim(whole.substr(0, equals))),
                          std::string(base::trim(whole.substr(equals + 1))),
                          {file, first_line}});
    }
    logical.clear();
  }
  return settings;
}

std::vector<const UnitSetting*> Unit::list(std::string_view section, std::string_view name) const {
  std::vector<const UnitSetting*> values;
  for (const UnitSetting& setting : settings) {
    if (setting.section != section || setting.name != name) continue;
    if (setting.value.empty()) {
      values.clear();
    } else {
      values.push_back(&setting);
    }
  }
  return values;
}

Unit read_unit(const base::Sysroot& host, const std::string& name) {
  Unit unit;
  for (const char* directory : paths::kUnitDirectories) {
    const std::string path = std::string(directory) + "/" + name;
    if (!host.lstat(path)) continue;
    unit.file = path;
    unit.masked = is_mask(host, path);
    break;
  }
  if (!unit.exists()) return unit;
  unit.enabled_by = find_enabling_link(host, name);
  if (unit.masked) return unit;
  read_settings(host, unit.file, unit);
  for (const auto& [drop_in, path] : find_drop_ins(host, name))
    if (!is_mask(host, path)) read_settings(host, path, unit);
  return unit;
}

}  // namespace auditshift::auditd
