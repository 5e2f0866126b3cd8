// SPDX-License-Identifier: Apache-2.0
// What the control socket can be asked. The requests, with their members:
//   health {details: "ebpf"}                 statistics {}
//   ebpf-statistics {seconds, top}           events {format}
//   config {name: "ebpf_supplementary_event_provider", value: "enabled"|"disabled"}
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/atomic_write.h"
#include "base/text.h"
#include "sensor/daemon.h"
#include "sensor/daemon_parts.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLongestWindow = 3600;
constexpr std::uint64_t kMostNames = 1000;
constexpr std::size_t kWindowsAtOnce = 8;
constexpr const char* kEbpfSetting = "ebpf_supplementary_event_provider";

/// A number between 1 and `most`, or the fallback when it is missing.
base::Result<std::uint64_t> number_member(const base::Json& request, const char* key, std::uint64_t fallback,
                                          std::uint64_t most) {
  const auto member = request.find(key);
  if (member == request.end()) return fallback;
  if (!member->is_number_unsigned() || member->get<std::uint64_t>() == 0 ||
      member->get<std::uint64_t>() > most)
    return base::Error(base::Errc::invalid,
                       std::string(key) + " must be a number from 1 to " + std::to_string(most));
  return member->get<std::uint64_t>();
}

std::string text_member(const base::Json& request, const char* key) {
  const auto member = request.find(key);
  return member != request.end() && member->is_string() ? member->get<std::string>() : std::string();
}

base::Json sink_json(const SinkStatus& status) {
  return {{"name", status.name},
          {"records", status.records},
          {"bytes", status.bytes},
          {"lost", status.lost},
          {"error", status.error}};
}

}  // namespace

void Daemon::handle(const base::Json& request, ControlPeer peer) {
  const std::string name = request["request"].get<std::string>();
  if (name == "health") {
    const std::string details = text_member(request, "details");
    if (details.empty()) return peer.reply(health().json());
    if (details == "ebpf") return peer.reply(health_details().json());
    return peer.fail(base::Error(base::Errc::invalid, "no such details: " + base::printable(details)));
  }
  if (name == "statistics") {
    base::Json counters = base::Json::object();
    for (const auto& [key, value] : stream_counters(pipeline_.statistics(), chooser_->drops()))
      counters[key] = value;
    return peer.reply(counters);
  }
  if (name == "ebpf-statistics") return request_statistics(request, std::move(peer));
  if (name == "events") return request_events(request, std::move(peer));
  if (name == "config") return request_config(request, std::move(peer));
  peer.fail(base::Error(base::Errc::invalid, "no such request: " + base::printable(name)));
}

void Daemon::request_statistics(const base::Json& request, ControlPeer peer) {
  constexpr std::uint64_t kDefaultSeconds = 20;
  constexpr std::uint64_t kDefaultNames = 10;
  const auto seconds = number_member(request, "seconds", kDefaultSeconds, kLongestWindow);
  if (!seconds.ok()) return peer.fail(seconds.error());
  const auto top = number_member(request, "top", kDefaultNames, kMostNames);
  if (!top.ok()) return peer.fail(top.error());
  if (statistics_.size() >= kWindowsAtOnce)
    return peer.fail(base::Error(base::Errc::busy, "too many statistics are being taken already"));
  statistics_.push_back({std::move(peer), std::make_unique<StatisticsWindow>(),
                         clock_.since_boot() + std::chrono::seconds(*seconds),
                         static_cast<unsigned>(*seconds), *top});
  pipeline_.set_observer(observer_.get());
}

void Daemon::finish_statistics() {
  const auto now = clock_.since_boot();
  for (auto request = statistics_.begin(); request != statistics_.end();) {
    if (now < request->deadline) {
      ++request;
      continue;
    }
    const Statistics result = request->window->result(request->seconds);
    request->peer.reply(render_statistics_json(result, request->top));
    request = statistics_.erase(request);
  }
  if (statistics_.empty()) pipeline_.set_observer(nullptr);
}

void Daemon::request_events(const base::Json& request, ControlPeer peer) {
  const std::string name = text_member(request, "format");
  const auto format = format_from_name(name.empty() ? "ecs" : name);
  if (!format) return peer.fail(base::Error(base::Errc::invalid, "no such format: " + base::printable(name)));
  for (auto& [its_format, sink] : readers_) {
    if (its_format != *format) continue;
    if (sink.full()) return peer.fail(base::Error(base::Errc::busy, "too many readers of this format"));
    if (const auto adopted = sink.adopt(peer.release()); !adopted.ok())
      spdlog::warn("{}", adopted.error().message());
    return;
  }
}

void Daemon::request_config(const base::Json& request, ControlPeer peer) {
  if (text_member(request, "name") != kEbpfSetting)
    return peer.fail(base::Error(base::Errc::invalid, "no such setting").with_hint(kEbpfSetting));
  const std::string value = text_member(request, "value");
  if (value != "enabled" && value != "disabled")
    return peer.fail(base::Error(base::Errc::invalid, R"(the value is "enabled" or "disabled")"));
  const base::Json state = {{kEbpfSetting, value}};
  base::WriteOptions private_file;
  private_file.mode = 0600;
  if (const auto written = base::write_file_atomic(
          options_.state_file, base::dump_json(state, base::JsonStyle::pretty), private_file);
      !written.ok())
    return peer.fail(written.error());
  local_ebpf_ = value == "enabled";
  follow_policy();
  if (!policy_error_.empty()) return peer.fail(base::Error(base::Errc::unsupported, policy_error_));
  base::Json answer = {{"message", "Configuration property updated."},
                       {"provider", chooser_->current_name()},
                       {"managed", managed_.ebpf_provider.has_value()}};
  if (managed_.ebpf_provider)
    answer["note"] = options_.managed_file + " sets features.ebpfSupplementaryEventProvider to \"" +
                     (*managed_.ebpf_provider ? "enabled" : "disabled") + "\", which wins over this.";
  peer.reply(answer);
}

void Daemon::load_state() {
  const auto text = host_.read_file(options_.state_file);
  if (!text.ok()) {
    if (text.error().code() != base::Errc::not_found) spdlog::error("{}", text.error().message());
    return;
  }
  const auto state = base::parse_json(*text, options_.state_file);
  if (!state.ok()) return spdlog::error("{}", state.error().message());
  const std::string value = state->is_object() ? text_member(*state, kEbpfSetting) : std::string();
  if (!value.empty()) local_ebpf_ = value == "enabled";
}

std::vector<std::string> Daemon::health_issues() const {
  std::vector<std::string> issues;
  if (chooser_->current_name().empty()) issues.emplace_back("no event provider works");
  for (const auto& [name, reason] : chooser_->refusals())
    issues.push_back(name + " is not in use: " + reason);
  if (!policy_error_.empty()) issues.push_back(policy_error_);
  if (file_ && !file_->status().error.empty())
    issues.push_back(file_->status().name + " cannot be written: " + file_->status().error);
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

}  // namespace auditshift::sensor
