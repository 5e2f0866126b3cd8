// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/common_exclusions.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "migrate/managed_edit.h"

namespace auditshift::migrate::fleet {
namespace {

using base::count_of;

std::optional<ManagedExclusion::Kind> kind_of(std::string_view kind) {
  if (kind == "folder") return ManagedExclusion::Kind::folder;
  if (kind == "file") return ManagedExclusion::Kind::file;
  if (kind == "process") return ManagedExclusion::Kind::process_path;
  return std::nullopt;
}

/// The same entry is the same exclusion, whatever rules led to it; without an entry its id tells.
std::string key_of(const ReportedExclusion& exclusion) {
  return exclusion.kind.empty() ? "id " + exclusion.id : exclusion.kind + " " + exclusion.value;
}

std::string why_not_in_policy(const CommonExclusion& exclusion, const Fleet& fleet) {
  if (exclusion.kind.empty()) return "no global exclusion can express it";
  if (!kind_of(exclusion.kind)) return "global exclusions know no " + exclusion.kind;
  if (!exclusion.value.starts_with('/')) return "not a full path";
  if (exclusion.value.find("\xef\xbf\xbd") != std::string::npos || exclusion.value.ends_with("…"))
    return "the path is not known to the byte";
  if (!exclusion.dangers.empty()) return "dangerous: " + exclusion.dangers.front();
  if (exclusion.consent_needed != 0)
    return count_of(exclusion.consent_needed, "host waits", "hosts wait") + " for a decision on it";
  if (exclusion.already_managed == exclusion.hosts) return "every host that has it manages it already";
  if (exclusion.carried_over + exclusion.already_managed < exclusion.hosts)
    return "not recommended on " +
           count_of(exclusion.hosts - exclusion.carried_over - exclusion.already_managed, "host");
  if (exclusion.hosts < fleet.policy_hosts)
    return "on " + count_of(exclusion.hosts, "host") + " only, " + std::to_string(fleet.policy_hosts) +
           " make a policy";
  return {};
}

void add_host(CommonExclusion& common, const ReportedExclusion& exclusion) {
  if (common.hosts == 0) {
    common.id = exclusion.id;
    common.kind = exclusion.kind;
    common.value = exclusion.value;
    common.intent = exclusion.intent;
  }
  ++common.hosts;
  common.exact += exclusion.result == "exact" ? 1U : 0U;
  common.consent_needed += exclusion.consent_needed ? 1U : 0U;
  common.already_managed += exclusion.already_managed ? 1U : 0U;
  common.carried_over += exclusion.carried_over && !exclusion.already_managed ? 1U : 0U;
  for (const std::string& danger : exclusion.dangers)
    if (std::find(common.dangers.begin(), common.dangers.end(), danger) == common.dangers.end())
      common.dangers.push_back(danger);
}

std::string policy_of(const std::vector<CommonExclusion>& exclusions) {
  std::vector<ManagedExclusion> wanted;
  for (const CommonExclusion& exclusion : exclusions)
    if (exclusion.in_policy)
      wanted.push_back({*kind_of(exclusion.kind), exclusion.value, {"global"}, "exclusionSettings"});
  if (wanted.empty()) return {};
  auto edit = add_exclusions("", "policy", wanted);
  return edit ? std::move(edit->text) : std::string();
}

}  // namespace

void find_common_exclusions(Fleet& fleet) {
  std::map<std::string, CommonExclusion> found;
  for (const FleetHost& host : fleet.hosts) {
    std::set<std::string> on_this_host;
    for (const ReportedExclusion& exclusion : host.latest.exclusions) {
      const std::string key = key_of(exclusion);
      if (on_this_host.insert(key).second) add_host(found[key], exclusion);
    }
  }
  fleet.policy_hosts =
      std::max<std::size_t>(2, (fleet.hosts.size() * fleet.options.policy_percent + 99) / 100);
  for (auto& [key, exclusion] : found) {
    exclusion.why_not = why_not_in_policy(exclusion, fleet);
    exclusion.in_policy = exclusion.why_not.empty();
    fleet.exclusions.push_back(std::move(exclusion));
  }
  std::stable_sort(fleet.exclusions.begin(), fleet.exclusions.end(),
                   [](const CommonExclusion& a, const CommonExclusion& b) { return a.hosts > b.hosts; });
  fleet.policy = policy_of(fleet.exclusions);
}

}  // namespace auditshift::migrate::fleet
