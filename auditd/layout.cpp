// SPDX-License-Identifier: Apache-2.0
#include "auditd/layout.h"

#include <algorithm>
#include <map>
#include <set>

#include "auditd/loader.h"
#include "auditd/paths.h"
#include "auditd/rule_files.h"
#include "auditd/rule_identity.h"

namespace auditshift::auditd {
namespace {

constexpr std::size_t kCompiledLimit = std::size_t{16} << 20;

std::string join_path(const std::string& directory, const std::string& name) {
  return directory + "/" + name;
}

std::string why_passed_over(const std::string& name) {
  if (name.starts_with('.')) return "augenrules reads no hidden files";
  if (!name.ends_with(".rules")) return "augenrules reads files named *.rules only";
  return "augenrules of this version breaks names at blanks";
}

/// The files that augenrules reads, in its order; a file that it reads twice stands once.
std::vector<const RuleFile*> read_rules_directory(const base::Sysroot& host, const ParseOptions& options,
                                                  RuleFileReader& reader, Layout& layout) {
  const auto entries = host.list(paths::kRulesDirectory);
  layout.rules_d_exists = entries.ok();
  if (!entries) return {};
  std::vector<std::string> names;
  for (const base::DirectoryEntry& entry : *entries) names.push_back(entry.name);
  const std::vector<std::string> reads = augenrules_reads(names, options.version);

  std::map<std::string, std::size_t> index;
  for (const std::string& name : reads) {
    if (!index.emplace(name, layout.rules_d.size()).second) continue;
    layout.rules_d.push_back(reader.read(join_path(paths::kRulesDirectory, name)));
  }
  std::sort(names.begin(), names.end(), augenrules_before);
  for (const std::string& name : names) {
    if (index.contains(name)) continue;
    layout.rules_d.push_back(reader.read(join_path(paths::kRulesDirectory, name)));
    layout.rules_d.back().read_by_loader = false;
    layout.rules_d.back().passed_over = why_passed_over(name);
  }
  std::vector<const RuleFile*> sequence;
  // Names broken at blanks can name one large file many times.
  std::size_t size = 0;
  for (const std::string& name : reads) {
    const RuleFile& file = layout.rules_d[index[name]];
    size += file.content.size();
    if (size <= kCompiledLimit) sequence.push_back(&file);
  }
  return sequence;
}

/// awk is usually a chain of links; the last name tells which one it is.
bool awk_is_mawk(const base::Sysroot& host) {
  const auto program = host.resolve(paths::kAwk);
  return program && program->ends_with("/mawk");
}

void compile(const std::vector<const RuleFile*>& files, const ParseOptions& options, Layout& layout) {
  const std::vector<CompiledLine> compiled = compile_rules(files, options.version, layout.awk_is_mawk);
  for (const CompiledLine& line : compiled) layout.would_compile += line.text + "\n";
  layout.would_load = parse_compiled(compiled, options);
}

void read_daemon_settings(const base::Sysroot& host, Layout& layout) {
  const auto content = host.read_file(paths::kAuditdConf, std::size_t{1} << 20);
  if (content) {
    layout.auditd_conf = parse_settings(*content);
  } else if (content.error().code() != base::Errc::not_found) {
    layout.auditd_conf_error = content.error().message();
  }
  const Setting* log_file = find_setting(layout.auditd_conf, "log_file");
  if (log_file != nullptr && log_file->value.starts_with('/')) layout.log_file = log_file->value;

  std::vector<std::string> directories(paths::kPluginDirectories.begin(), paths::kPluginDirectories.end());
  const Setting* plugin_directory = find_setting(layout.auditd_conf, "plugin_dir");
  if (plugin_directory != nullptr && plugin_directory->value.starts_with('/')) {
    std::string own = plugin_directory->value;
    while (own.size() > 1 && own.ends_with('/')) own.pop_back();
    if (std::find(directories.begin(), directories.end(), own) == directories.end())
      directories.push_back(own);
  }
  for (const std::string& directory : directories)
    for (Plugin& plugin : read_plugins(host, directory)) layout.plugins.push_back(std::move(plugin));
}

}  // namespace

std::string_view to_string(Loader loader) {
  switch (loader) {
    case Loader::augenrules:
      return "augenrules";
    case Loader::audit_rules_service:
      return "audit-rules.service";
    case Loader::plain:
      return "audit.rules";
    case Loader::none:
      break;
  }
  return "none";
}

Layout read_layout(const base::Sysroot& host, const ParseOptions& options) {
  Layout layout;
  RuleFileReader reader(host, options);
  const std::vector<const RuleFile*> files = read_rules_directory(host, options, reader, layout);
  layout.awk_is_mawk = awk_is_mawk(host);
  compile(files, options, layout);
  if (host.lstat(paths::kCompiledRules)) layout.compiled = reader.read(paths::kCompiledRules);

  LoaderFinding finding = find_loader(host);
  layout.loader = finding.loader;
  layout.loader_evidence = std::move(finding.evidence);
  layout.loader_origin = std::move(finding.origin);
  if (!finding.rules_file.empty() && finding.rules_file != paths::kCompiledRules)
    layout.other_rules = reader.read(finding.rules_file);
  read_daemon_settings(host, layout);
  return layout;
}

}  // namespace auditshift::auditd
