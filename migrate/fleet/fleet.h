// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "migrate/fleet/expected_hosts.h"
#include "migrate/fleet/host_report.h"
#include "migrate/fleet/read_directory.h"

namespace auditshift::migrate::fleet {

struct FleetOptions {
  base::WallTime now{};  ///< what "stale" is counted from
  int stale_days = 30;   ///< a newest report that is older is stale
  /// An exclusion belongs into one policy when at least so many hosts in a hundred have it, and two at least.
  unsigned policy_percent = 10;
  std::optional<ExpectedHosts> expected;
};

/// One host, with the newest of its reports.
struct FleetHost {
  HostReport latest;
  std::size_t reports = 0;  ///< with different times
  enum class Age { current, stale, future } age = Age::current;
  int days_old = 0;
};
std::string_view to_string(FleetHost::Age age);

/// So many hosts have this value.
struct Count {
  std::string value;  ///< empty: unknown
  std::size_t hosts = 0;
};

/// The newest report of every host, counted by each of its properties; the most frequent value first.
struct Distributions {
  std::vector<Count> distribution;
  std::vector<Count> kernel;
  std::vector<Count> agent_build;
  std::vector<Count> event_provider;
  std::vector<Count> audit_state;
  std::vector<Count> sensor_tier;
};

/// A check, and how many hosts it found something on.
struct FindingCount {
  std::string id;
  std::string title;
  FindingSeverity severity = FindingSeverity::info;  ///< the highest of any host
  std::size_t hosts = 0;
  std::size_t blocking = 0;         ///< hosts on which it stands in the way
  std::vector<std::size_t> places;  ///< of these hosts in Fleet::hosts, blocking ones first
};

/// An exclusion, and how many hosts have it.
struct CommonExclusion {
  std::string id;     ///< as in the assessments
  std::string kind;   ///< of the global exclusion; empty when none can express it
  std::string value;  ///< of the global exclusion
  std::string intent;
  std::size_t hosts = 0;
  std::size_t exact = 0;             ///< hosts on which it keeps out the same events as the rules did
  std::size_t consent_needed = 0;    ///< hosts that wait for a decision on it
  std::size_t already_managed = 0;   ///< hosts whose managed configuration has it
  std::size_t carried_over = 0;      ///< hosts on which a switch would write it
  std::vector<std::string> dangers;  ///< of any host
  bool in_policy = false;
  std::string why_not;  ///< when not in the policy
};

/// The fleet on one day: of each host the newest report of that day or before.
struct BurnDownDay {
  std::chrono::sys_days day;
  std::array<std::size_t, kVerdicts.size()> verdicts{};  ///< in the order of kVerdicts
  std::size_t not_reported = 0;                          ///< hosts whose first report came later
};

struct Fleet {
  FleetOptions options;
  DirectoryReading reading;
  std::vector<FleetHost> hosts;                          ///< by name
  std::array<std::size_t, kVerdicts.size()> verdicts{};  ///< in the order of kVerdicts
  std::size_t need_attention = 0;
  std::size_t stale = 0;               ///< or dated in the future
  std::vector<FindingCount> findings;  ///< what blocks most first
  Distributions distributions;
  std::vector<BurnDownDay> burn_down;       ///< at most 400 days; empty with a single day
  std::vector<CommonExclusion> exclusions;  ///< the most frequent first
  std::size_t policy_hosts = 0;             ///< so many hosts make an exclusion common
  std::string policy;                       ///< managed JSON; empty: nothing for one
  std::vector<std::string> missing;         ///< expected hosts without a report
  std::vector<std::size_t> unexpected;      ///< places of hosts that nobody expects

  std::size_t of(Verdict verdict) const;
  /// Every host is switched or ready for it, none is missing or stale, every file was good.
  bool is_well() const;
};

/// Gathers reports in any order; the same reports give the same fleet. A host is its machine id and its name
/// together, since cloned machines share the one and others the other.
class FleetBuilder {
 public:
  void add(HostReport report);
  Fleet finish(DirectoryReading reading, FleetOptions options) &&;

 private:
  struct Point {
    base::WallTime time;
    Verdict verdict;
    auto operator<=>(const Point&) const = default;
  };
  struct Gathered {
    HostReport latest;
    std::size_t reports = 0;
    std::map<std::chrono::sys_days, Point> history;  ///< the newest of each day
  };
  std::vector<BurnDownDay> burn_down() const;

  std::map<std::pair<std::string, std::string>, Gathered> hosts_;
};

}  // namespace auditshift::migrate::fleet
