// SPDX-License-Identifier: Apache-2.0
#include "migrate/rule_files.h"

#include <algorithm>

#include "auditd/normalize.h"
#include "migrate/collect.h"

namespace auditshift::migrate {
namespace {

base::Result<auditd::RuleFile> read_one(const base::Sysroot& host, const std::string& path,
                                        const auditd::ParseOptions& options) {
  AUDITSHIFT_TRY(content, host.read_file(path));
  auditd::RuleFile file;
  file.path = path;
  file.lines = auditd::parse_rules(content, path, options);
  file.content = std::move(content);
  return file;
}

void append(std::vector<auditd::Line> lines, std::vector<auditd::Line>& to) {
  to.insert(to.end(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
}

base::Result<void> read_directory(const base::Sysroot& host, const std::string& path,
                                  const auditd::ParseOptions& options, bool mawk, RuleFiles& to) {
  AUDITSHIFT_TRY(entries, host.list(path));
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const base::DirectoryEntry& entry : entries) names.push_back(entry.name);
  std::vector<auditd::RuleFile> files;
  for (const std::string& name : auditd::augenrules_reads(std::move(names), options.version)) {
    AUDITSHIFT_TRY(file, read_one(host, (path.ends_with("/") ? path : path + "/") + name, options));
    files.push_back(std::move(file));
  }
  std::vector<const auditd::RuleFile*> pointers;
  pointers.reserve(files.size());
  for (const auditd::RuleFile& file : files) pointers.push_back(&file);
  append(auditd::parse_compiled(auditd::compile_rules(pointers, options.version, mawk), options),
         to.load_order);
  for (auditd::RuleFile& file : files) to.files.push_back(std::move(file));
  return {};
}

base::Result<void> read_path(const base::Sysroot& host, const std::string& path,
                             const auditd::ParseOptions& options, bool mawk, RuleFiles& to) {
  AUDITSHIFT_TRY(info, host.stat(path));
  if (info.is_directory()) return read_directory(host, path, options, mawk, to);
  AUDITSHIFT_TRY(file, read_one(host, path, options));
  append(file.lines, to.load_order);
  to.files.push_back(std::move(file));
  return {};
}

bool holds_key(const auditd::Rule& rule, std::string_view part) {
  const auto keys = rule.keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const std::string& key) { return key.find(part) != std::string::npos; });
}

/// "-D" or "-D -k KEY": auditctl matches the key as a part of the rule's key.
void delete_all(const auditd::Control& control, std::vector<auditd::Rule>& rules) {
  std::erase_if(rules, [&](const auditd::Rule& rule) {
    return control.argument.empty() || holds_key(rule, control.argument);
  });
}

}  // namespace

base::Result<RuleFiles> read_rule_files(const World& world, const std::vector<std::string>& paths,
                                        std::optional<auditd::AuditVersion> version) {
  const HostFacts facts = collect_host(world);
  RuleFiles files;
  files.version = version ? *version : audit_version_of(facts).value_or(auditd::AuditVersion{});
  if (!facts.architecture.empty()) files.machine = facts.architecture;
  const auditd::SysrootView view(*world.host);
  const auditd::ParseOptions options{files.version, files.machine, &view};
  auditd::Layout layout = auditd::read_layout(*world.host, options);
  for (const std::string& path : paths)
    AUDITSHIFT_TRY_VOID(
        read_path(*world.host, path, options, layout.awk_is_mawk, files).context("cannot read rules"));
  if (!paths.empty()) return files;
  if (layout.loader == auditd::Loader::plain && layout.compiled) {
    files.load_order = layout.compiled->lines;
    files.files.push_back(*std::move(layout.compiled));
    return files;
  }
  files.load_order = std::move(layout.would_load);
  for (auditd::RuleFile& file : layout.rules_d)
    if (file.read_by_loader) files.files.push_back(std::move(file));
  return files;
}

std::vector<auditd::Rule> loaded_rules(const std::vector<auditd::Line>& lines) {
  std::vector<auditd::Rule> rules;
  for (const auditd::Line& line : lines) {
    if (!line.valid()) continue;
    for (const auditd::Control& control : line.controls)
      if (control.kind == auditd::ControlKind::delete_all) delete_all(control, rules);
    if (line.rule) rules.push_back(*line.rule);
  }
  return auditd::kernel_order(rules);
}

Facts facts_of(const RuleFiles& files) {
  Facts facts;
  facts.audit.version = files.version;
  facts.audit.layout.rules_d_exists = true;
  facts.audit.layout.rules_d = files.files;
  facts.host.architecture = files.machine;
  return facts;
}

}  // namespace auditshift::migrate
