// SPDX-License-Identifier: Apache-2.0
// What the control socket can be asked. The requests, with their members:
//   health {details: "ebpf"|"features"}      statistics {}
//   ebpf-statistics {seconds, top, cpu, advice}: daemon_statistics.cpp
//   events {format}
//   config {name: "ebpf_supplementary_event_provider", value: "enabled"|"disabled"}
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/atomic_write.h"
#include "base/text.h"
#include "sensor/daemon.h"
#include "sensor/daemon_parts.h"

namespace auditshift::sensor {
std::string text_member(const base::Json& request, const char* key) {
  const auto member = request.find(key);
  return member != request.end() && member->is_string() ? member->get<std::string>() : std::string();
}

bool flag_member(const base::Json& request, const char* key) {
  const auto member = request.find(key);
  return member != request.end() && member->is_boolean() && member->get<bool>();
}

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

void Daemon::handle(const base::Json& request, ControlPeer peer) {
  const std::string name = request["request"].get<std::string>();
  if (name == "health") {
    const std::string details = text_member(request, "details");
    if (details.empty()) return peer.reply(health().json());
    if (details == "ebpf") return peer.reply(health_details().json());
    if (details == "features") return peer.reply(health_features().json());
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

}  // namespace auditshift::sensor
