// SPDX-License-Identifier: Apache-2.0
// What the daemon says of itself.
#include <algorithm>

#include "base/text.h"
#include "sensor/daemon.h"
#include "sensor/daemon_parts.h"
#include "sensor/kind_profile.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

base::Json sink_json(const SinkStatus& status) {
  return {{"name", status.name},
          {"records", status.records},
          {"bytes", status.bytes},
          {"lost", status.lost},
          {"error", status.error}};
}

}  // namespace

std::vector<std::string> Daemon::health_issues() const {
  std::vector<std::string> issues;
  if (chooser_->current_name().empty()) issues.emplace_back("no event provider works");
  for (const auto& [name, reason] : chooser_->refusals())
    issues.push_back(name + " is not in use: " + reason);
  if (!policy_error_.empty()) issues.push_back(policy_error_);
  if (file_ && !file_->status().error.empty())
    issues.push_back(file_->status().name + ": " + file_->status().error);
  if (last_loss_ != 0ns && clock_.since_boot() - last_loss_ < 1min)
    issues.emplace_back("events were lost within the last minute");
  if (!managed_error_.empty()) issues.push_back(managed_error_);
  for (const std::string& problem : managed_.problems)
    issues.push_back(options_.managed_file + ": " + problem);
  return issues;
}

HealthReport Daemon::health() const {
  const auto issues = health_issues();
  const PipelineStatistics& statistics = pipeline_.statistics();
  std::uint64_t output_lost = 0;
  if (file_) output_lost += file_->status().lost;
  HealthReport report;
  report.add("healthy", issues.empty());
  report.add("health_issues", issues);
  report.add("app_version", options_.version);
  report.add("machine_guid", std::string(base::trim(host_.read_file("/etc/machine-id").value_or({}))));
  report.add("supplementary_events_subsystem", chooser_->current_name());
  report.add(kEbpfSetting, ebpf_allowed() ? "enabled" : "disabled", managed_.ebpf_provider.has_value());
  report.add("sensor_tier", chooser_->describe().tier);
  report.add("sensor_uptime_seconds",
             std::chrono::duration_cast<std::chrono::seconds>(clock_.since_boot() - started_).count());
  base::Json kinds = base::Json::array();
  for (const EventKind kind : all_kinds()) {
    if (chooser_->kinds().contains(kind)) kinds.push_back(kind_name(kind));
  }
  report.add("event_kinds", kinds);
  report.add("exclusions", exclusions_.entries().size(), !exclusions_.empty());
  report.add("events_written", statistics.records);
  report.add("events_excluded", statistics.excluded);
  report.add("events_lost", statistics.lost);
  report.add("output_records_lost", output_lost);
  return report;
}

HealthReport Daemon::health_details() const {
  HealthReport report;
  const ProviderDescription description = chooser_->describe();
  report.add("provider", chooser_->current_name());
  report.add("tier", description.tier);
  for (const auto& [key, value] : description.details) {
    const auto number = base::parse_decimal(value);
    report.add(key, number ? base::Json(*number) : base::Json(value));
  }
  for (const DropCounter& drop : chooser_->drops())
    report.add("lost: " + std::string(drop.cause), drop.count);
  base::Json changes = base::Json::array();
  for (const ProviderChange& change : chooser_->changes()) {
    changes.push_back({{"when", base::format_utc(change.when)},
                       {"from", change.from},
                       {"to", change.to},
                       {"reason", change.reason}});
  }
  report.add("provider_changes", changes);
  base::Json outputs = base::Json::array();
  if (file_) outputs.push_back(sink_json(file_->status()));
  if (stdout_) outputs.push_back(sink_json(stdout_->status()));
  for (const auto& [format, sink] : readers_) {
    base::Json output = sink_json(sink.status());
    output["name"] = "readers of " + std::string(format_name(format));
    output["readers"] = sink.reader_count();
    outputs.push_back(std::move(output));
  }
  report.add("outputs", outputs);
  return report;
}

HealthReport Daemon::health_features() const {
  HealthReport report;
  report.add("managed_file", options_.managed_file);
  report.add("managed_file_error", managed_error_);
  for (const auto& [name, value] : managed_.features) {
    const bool obeyed = name == "ebpfSupplementaryEventProvider";
    report.add("feature: " + name,
               obeyed ? base::Json(value) : base::Json(value + " (not a feature of this sensor)"), true);
  }
  report.add(kEbpfSetting, ebpf_allowed() ? "enabled" : "disabled", managed_.ebpf_provider.has_value());
  for (const ExclusionKind kind : {ExclusionKind::process, ExclusionKind::folder, ExclusionKind::file}) {
    const auto count = std::count_if(exclusions_.entries().begin(), exclusions_.entries().end(),
                                     [&](const Exclusion& entry) { return entry.kind == kind; });
    report.add("exclusions: " + std::string(exclusion_kind_name(kind)), count, count != 0);
  }
  report.add("provider", chooser_->current_name());
  const KindSet on = chooser_->kinds();
  constexpr std::pair<const char*, KindSet> kClasses[] = {
      {"process", kProcessKinds}, {"file", kFileKinds}, {"mount", kMountKinds}, {"network", kNetworkKinds}};
  KindSet classed;
  const auto add = [&](const std::string& name, const KindSet& kinds) {
    base::Json watched = base::Json::array(), missing = base::Json::array();
    for (const EventKind kind : all_kinds()) {
      if (!kinds.contains(kind) || kind == EventKind::loss) continue;
      (on.contains(kind) ? watched : missing).push_back(kind_name(kind));
    }
    report.add("events: " + name, std::move(watched));
    if (!missing.empty()) report.add("events: " + name + ", not watched", std::move(missing));
  };
  for (const auto& [name, kinds] : kClasses) {
    add(name, kinds);
    classed = united(classed, kinds);
  }
  add("system", without(kEveryKind, classed));
  return report;
}

}  // namespace auditshift::sensor
