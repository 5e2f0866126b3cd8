// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/fleet.h"

#include <algorithm>
#include <set>

#include "migrate/fleet/common_exclusions.h"

namespace auditshift::migrate::fleet {
namespace {

constexpr std::size_t kMostDays = 400;

std::size_t place_of(Verdict verdict) {
  return static_cast<std::size_t>(std::find(kVerdicts.begin(), kVerdicts.end(), verdict) - kVerdicts.begin());
}

/// Clocks of a fleet differ a little; a day is more than that.
void judge_age(FleetHost& host, const FleetOptions& options) {
  // In seconds: the nanoseconds between the first and the last time there is do not fit into a number.
  using std::chrono::floor;
  const auto age =
      floor<std::chrono::seconds>(options.now) - floor<std::chrono::seconds>(host.latest.generated_at);
  host.days_old = static_cast<int>(std::chrono::floor<std::chrono::days>(age).count());
  host.age = age < -std::chrono::days(1)                   ? FleetHost::Age::future
             : age > std::chrono::days(options.stale_days) ? FleetHost::Age::stale
                                                           : FleetHost::Age::current;
}

std::vector<Count> counted(const std::vector<FleetHost>& hosts, std::string (*value_of)(const HostReport&)) {
  std::map<std::string, std::size_t> values;
  for (const FleetHost& host : hosts) ++values[value_of(host.latest)];
  std::vector<Count> counts;
  counts.reserve(values.size());
  for (const auto& [value, count] : values) counts.push_back({value, count});
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.hosts > b.hosts; });
  return counts;
}

std::string distribution_of(const HostReport& report) {
  if (report.distribution.empty() || report.distribution_version.empty()) return report.distribution;
  return report.distribution + " " + report.distribution_version;
}

std::string build_of(const HostReport& report) {
  if (report.agent == "none") return "no agent";
  if (report.agent == "native") return "auditshift sensor";
  return report.agent_build;
}

Distributions distributions_of(const std::vector<FleetHost>& hosts) {
  Distributions all;
  all.distribution = counted(hosts, distribution_of);
  all.kernel = counted(hosts, [](const HostReport& report) { return report.kernel; });
  all.agent_build = counted(hosts, build_of);
  all.event_provider = counted(hosts, [](const HostReport& report) { return report.event_provider; });
  all.audit_state = counted(hosts, [](const HostReport& report) { return report.audit_state; });
  all.sensor_tier = counted(hosts, [](const HostReport& report) { return report.sensor_tier; });
  return all;
}

struct FindingHosts {
  FindingCount count;
  std::vector<std::size_t> others;  ///< on which it does not stand in the way
};

/// A check may find several things on one host.
void count_findings_of(const FleetHost& host, std::size_t place, std::map<std::string, FindingHosts>& by_id) {
  std::map<std::string_view, bool> blocking;
  for (const ReportedFinding& finding : host.latest.findings) {
    FindingCount& count = by_id[finding.id].count;
    if (count.title.empty()) count.title = finding.title;
    count.severity = std::max(count.severity, finding.severity);
    bool& blocks = blocking[finding.id];
    blocks = blocks || finding.is_blocking();
  }
  for (const auto& [id, blocks] : blocking) {
    FindingHosts& found = by_id[std::string(id)];
    (blocks ? found.count.places : found.others).push_back(place);
  }
}

std::vector<FindingCount> count_findings(const std::vector<FleetHost>& hosts) {
  std::map<std::string, FindingHosts> by_id;
  for (std::size_t place = 0; place < hosts.size(); ++place) count_findings_of(hosts[place], place, by_id);
  std::vector<FindingCount> findings;
  for (auto& [id, found] : by_id) {
    FindingCount& count = found.count;
    count.id = id;
    count.blocking = count.places.size();
    count.places.insert(count.places.end(), found.others.begin(), found.others.end());
    count.hosts = count.places.size();
    findings.push_back(std::move(count));
  }
  std::stable_sort(findings.begin(), findings.end(), [](const FindingCount& a, const FindingCount& b) {
    return std::tuple(a.blocking, a.severity, a.hosts) > std::tuple(b.blocking, b.severity, b.hosts);
  });
  return findings;
}

void compare_with_expected(Fleet& fleet) {
  if (!fleet.options.expected) return;
  const ExpectedHosts& expected = *fleet.options.expected;
  std::vector<bool> answered(expected.size());
  for (std::size_t place = 0; place < fleet.hosts.size(); ++place) {
    const auto names = expected.answered_by(fleet.hosts[place].latest);
    for (const std::size_t name : names) answered[name] = true;
    if (names.empty()) fleet.unexpected.push_back(place);
  }
  for (std::size_t name = 0; name < answered.size(); ++name)
    if (!answered[name]) fleet.missing.push_back(expected.names()[name]);
}

}  // namespace

std::string_view to_string(FleetHost::Age age) {
  switch (age) {
    case FleetHost::Age::current:
      return "current";
    case FleetHost::Age::stale:
      return "stale";
    case FleetHost::Age::future:
      return "future";
  }
  return "current";
}

std::size_t Fleet::of(Verdict verdict) const { return verdicts[place_of(verdict)]; }

bool Fleet::is_well() const {
  return need_attention == 0 && stale == 0 && missing.empty() && reading.damaged.empty() && !hosts.empty();
}

void FleetBuilder::add(HostReport report) {
  Gathered& host = hosts_[{report.hostname, report.machine_id}];
  const auto day = std::chrono::floor<std::chrono::days>(report.generated_at);
  const Point point{report.generated_at, report.verdict};
  const auto [at, is_first] = host.history.emplace(day, point);
  if (!is_first) at->second = std::max(at->second, point);
  const auto order = [](const HostReport& a) { return std::tie(a.generated_at, a.file); };
  if (host.reports == 0 || order(host.latest) < order(report)) host.latest = std::move(report);
  ++host.reports;
}

std::vector<BurnDownDay> FleetBuilder::burn_down() const {
  std::set<std::chrono::sys_days> all;
  for (const auto& [key, host] : hosts_)
    for (const auto& [day, point] : host.history) all.insert(day);
  if (all.size() < 2) return {};
  // A longer time is shown by every second, third … day; the last one always.
  const std::size_t step = (all.size() + kMostDays - 1) / kMostDays;
  std::vector<BurnDownDay> days;
  std::size_t behind = all.size();
  for (const auto day : all)
    if (--behind % step == 0) days.push_back({day, {}, 0});
  for (const auto& [key, host] : hosts_) {
    auto next = host.history.begin();
    std::optional<Verdict> verdict;
    for (BurnDownDay& each : days) {
      for (; next != host.history.end() && next->first <= each.day; ++next) verdict = next->second.verdict;
      ++(verdict ? each.verdicts[place_of(*verdict)] : each.not_reported);
    }
  }
  return days;
}

Fleet FleetBuilder::finish(DirectoryReading reading, FleetOptions options) && {
  Fleet fleet;
  fleet.options = std::move(options);
  fleet.reading = std::move(reading);
  fleet.burn_down = burn_down();
  fleet.hosts.reserve(hosts_.size());
  for (auto& [key, gathered] : hosts_) {
    FleetHost host;
    host.latest = std::move(gathered.latest);
    host.reports = gathered.reports;
    judge_age(host, fleet.options);
    fleet.hosts.push_back(std::move(host));
  }
  hosts_.clear();
  for (const FleetHost& host : fleet.hosts) {
    ++fleet.verdicts[place_of(host.latest.verdict)];
    fleet.need_attention += host.latest.needs_attention() ? 1U : 0U;
    fleet.stale += host.age == FleetHost::Age::current ? 0U : 1U;
  }
  fleet.findings = count_findings(fleet.hosts);
  fleet.distributions = distributions_of(fleet.hosts);
  compare_with_expected(fleet);
  find_common_exclusions(fleet);
  return fleet;
}

}  // namespace auditshift::migrate::fleet
