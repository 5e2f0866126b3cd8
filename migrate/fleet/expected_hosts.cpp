// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/expected_hosts.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate::fleet {
namespace {

std::string first_label(const std::string& name) { return name.substr(0, name.find('.')); }

}  // namespace

ExpectedHosts ExpectedHosts::parse(std::string_view text) {
  ExpectedHosts hosts;
  for (std::string_view line : base::split(text, '\n')) {
    const std::string name(base::trim(line.substr(0, line.find('#'))));
    if (name.empty()) continue;
    const std::string lower = base::to_lower(name);
    const std::size_t place = hosts.names_.size();
    if (!hosts.exact_.emplace(lower, place).second) continue;
    if (lower.find('.') != std::string::npos) hosts.by_first_label_.emplace(first_label(lower), place);
    hosts.names_.push_back(name);
  }
  return hosts;
}

void ExpectedHosts::find(const std::string& name, std::vector<std::size_t>& places) const {
  if (name.empty()) return;
  const std::string lower = base::to_lower(name);
  const bool has_dot = lower.find('.') != std::string::npos;
  if (const auto same = exact_.find(lower); same != exact_.end()) places.push_back(same->second);
  if (has_dot) {
    if (const auto label = exact_.find(first_label(lower)); label != exact_.end())
      places.push_back(label->second);
  } else {
    const auto [begin, end] = by_first_label_.equal_range(lower);
    for (auto each = begin; each != end; ++each) places.push_back(each->second);
  }
}

std::vector<std::size_t> ExpectedHosts::answered_by(const HostReport& report) const {
  std::vector<std::size_t> places;
  find(report.hostname, places);
  std::string file = report.file.substr(report.file.rfind('/') + 1);  // npos + 1 is 0
  if (file.ends_with(".json")) file.resize(file.size() - 5);
  find(file, places);
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace auditshift::migrate::fleet
