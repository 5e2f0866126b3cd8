// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <string>

#include "auditd/layout.h"
#include "auditd/normalize.h"
#include "auditd/paths.h"
#include "auditd/rule_identity.h"

namespace auditshift::auditd {
namespace {

constexpr std::uint32_t kClassWord = 63;  // the kernel clears the class bits when it has expanded them

template <class Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::vector<Rule> disk_rules(const Layout& layout) {
  std::vector<Rule> rules;
  for (const Line* line : layout.boot_load().rules) rules.push_back(*line->rule);
  return kernel_order(rules);
}

std::set<std::string> identities_of(const std::vector<Rule>& rules) {
  std::set<std::string> identities;
  for (const Rule& rule : rules) identities.insert(identity_of(rule));
  return identities;
}

/// Rules of one list, and of the other side as well, in order.
std::map<Filter, std::vector<const Rule*>> common_rules(const std::vector<Rule>& rules,
                                                        const std::set<std::string>& others) {
  std::map<Filter, std::vector<const Rule*>> common;
  for (const Rule& rule : rules)
    if (others.contains(identity_of(rule))) common[rule.filter].push_back(&rule);
  return common;
}

}  // namespace

std::string identity_of(const Rule& rule) {
  std::string bytes;
  append_number(bytes, rule.filter);
  append_number(bytes, rule.action);
  for (std::uint32_t word = 0; word < rule.syscalls.size(); ++word)
    append_number(bytes, word == kClassWord ? 0U : rule.syscalls[word]);
  for (const Field& field : rule.fields) {
    append_number(bytes, field.id);
    append_number(bytes, field.op);
    append_number(bytes, field.value);
    append_number(bytes, field.text.size());
    bytes += field.text;
  }
  return bytes;
}

std::vector<Drift> find_drift(const Layout& layout, const std::vector<Rule>& live,
                              const ParseOptions& options) {
  std::vector<Drift> drift;
  const auto report = [&](Drift::Kind kind, const Rule& rule) {
    drift.push_back({kind, normalize(rule, options.version, options.machine), rule.origin});
  };
  const bool outdated =
      layout.rules_d_exists && (!layout.compiled || layout.compiled->content != layout.would_compile);
  if (outdated) drift.push_back({Drift::Kind::compiled_outdated, {}, {paths::kCompiledRules, 0}});

  const std::vector<Rule> disk = disk_rules(layout);
  const std::set<std::string> on_disk = identities_of(disk);
  const std::set<std::string> in_kernel = identities_of(live);
  for (const Rule& rule : disk)
    if (!in_kernel.contains(identity_of(rule))) report(Drift::Kind::not_in_kernel, rule);
  for (const Rule& rule : live)
    if (!on_disk.contains(identity_of(rule))) report(Drift::Kind::not_on_disk, rule);

  auto live_common = common_rules(live, on_disk);
  for (const auto& [filter, rules] : common_rules(disk, in_kernel)) {
    const std::vector<const Rule*>& others = live_common[filter];
    for (std::size_t i = 0; i < rules.size() && i < others.size(); ++i) {
      if (identity_of(*rules[i]) == identity_of(*others[i])) continue;
      report(Drift::Kind::order_differs, *rules[i]);
      break;
    }
  }
  return drift;
}

}  // namespace auditshift::auditd
