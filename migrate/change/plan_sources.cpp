// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plan_sources.h"

#include "base/hash.h"

namespace auditshift::migrate::change {
namespace {

constexpr std::size_t kLimit = std::size_t{16} << 20;

base::Error changed(const std::string& path) {
  return base::Error(base::Errc::busy, path + ": somebody changed it while it was being looked at")
      .with_hint("try again");
}

base::Result<void> read(const base::Sysroot& host, const std::string& path, PlanSources& sources) {
  if (sources.files.contains(path)) return {};
  // Steps follow a link, so what it leads to is what counts.
  std::string target = path;
  if (const auto info = host.lstat(path); info && info->is_symlink()) {
    AUDITSHIFT_TRY(resolved, host.resolve(path));
    target = resolved;
  }
  PlanSources::File file;
  AUDITSHIFT_TRY(state, read_file_state(host, target));
  file.state = std::move(state);
  file.own = file.state;
  if (target != path) {
    AUDITSHIFT_TRY(link, read_file_state(host, path));
    file.own = std::move(link);
  }
  if (file.state.exists) {
    AUDITSHIFT_TRY(content, host.read_file(target, kLimit));
    if (base::sha256(content) != file.state.sha256) return changed(path);
    file.content = std::move(content);
  }
  sources.files.emplace(path, std::move(file));
  return {};
}

}  // namespace

base::Result<PlanSources> read_plan_sources(const base::Sysroot& host, const Assessment& assessment) {
  PlanSources sources;
  const auditd::Layout& layout = assessment.facts.audit.layout;
  const auto read_rules = [&](const auditd::RuleFile& file) -> base::Result<void> {
    if (!file.error.empty()) return {};
    AUDITSHIFT_TRY_VOID(read(host, file.path, sources));
    if (sources.at(file.path).content != file.content) return changed(file.path);
    return {};
  };
  for (const auditd::RuleFile& file : layout.rules_d) AUDITSHIFT_TRY_VOID(read_rules(file));
  if (layout.compiled) AUDITSHIFT_TRY_VOID(read_rules(*layout.compiled));
  if (layout.other_rules) AUDITSHIFT_TRY_VOID(read_rules(*layout.other_rules));
  for (const auditd::Plugin& plugin : layout.plugins)
    if (plugin.error.empty()) AUDITSHIFT_TRY_VOID(read(host, plugin.path, sources));
  if (assessment.facts.agent.managed.error.empty())
    AUDITSHIFT_TRY_VOID(read(host, assessment.facts.agent.managed.path, sources));
  return sources;
}

}  // namespace auditshift::migrate::change
