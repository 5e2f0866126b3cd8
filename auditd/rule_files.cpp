// SPDX-License-Identifier: Apache-2.0
#include "auditd/rule_files.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::auditd {
namespace {

constexpr std::size_t kRuleFileLimit = std::size_t{4} << 20;
constexpr std::size_t kSettingsLimit = std::size_t{1} << 20;

}  // namespace

RuleFile RuleFileReader::read(const std::string& path) {
  RuleFile file;
  file.path = path;
  auto content = host_.read_file(path, std::min(kRuleFileLimit, budget_));
  if (!content) {
    file.error = content.error().message();
    return file;
  }
  const auto lines = static_cast<std::size_t>(std::count(content->begin(), content->end(), '\n')) + 1;
  if (lines > line_budget_) {
    file.error = path + ": " + std::to_string(lines) + " lines, more than the limit";
    return file;
  }
  budget_ -= content->size();
  line_budget_ -= lines;
  file.content = *std::move(content);
  file.lines = parse_rules(file.content, path, options_);
  return file;
}

std::vector<Setting> parse_settings(std::string_view text) {
  std::vector<Setting> settings;
  int number = 0;
  for (const std::string_view line : base::split(text, '\n')) {
    ++number;
    const std::string_view trimmed = base::trim(line);
    const std::size_t equals = trimmed.find('=');
    if (trimmed.starts_with('#') || equals == std::string_view::npos) continue;
    settings.push_back({std::string(base::trim(trimmed.substr(0, equals))),
                        std::string(base::trim(trimmed.substr(equals + 1))), number});
  }
  return settings;
}

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view name) {
  const Setting* found = nullptr;
  for (const Setting& setting : settings)
    if (base::to_lower(setting.name) == name) found = &setting;
  return found;
}

std::vector<Plugin> read_plugins(const base::Sysroot& host, const std::string& directory) {
  std::vector<Plugin> plugins;
  const auto entries = host.list(directory);
  if (!entries) return plugins;
  for (const base::DirectoryEntry& entry : *entries) {
    // The dispatcher reads files of this name only (load_plugin_conf in audisp.c).
    if (entry.name.starts_with('.') || !entry.name.ends_with(".conf")) continue;
    Plugin plugin;
    plugin.path = directory + "/" + entry.name;
    const auto content = host.read_file(plugin.path, kSettingsLimit);
    if (content) {
      const std::vector<Setting> settings = parse_settings(*content);
      const Setting* active = find_setting(settings, "active");
      const Setting* program = find_setting(settings, "path");
      plugin.active = active != nullptr && base::to_lower(active->value) == "yes";
      if (program != nullptr) plugin.program = program->value;
    } else {
      plugin.error = content.error().message();
    }
    plugins.push_back(std::move(plugin));
  }
  return plugins;
}

}  // namespace auditshift::auditd
