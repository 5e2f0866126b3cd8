// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/native_agent.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/text.h"
#include "migrate/outside/flow_probe.h"
#include "migrate/paths.h"
#include "sensor/control_server.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// A sensor at its limits, on a host at its limits, reads a whole ring of events before it answers.
constexpr std::chrono::milliseconds kAnswerLimit = 60s;
constexpr std::chrono::milliseconds kLoadLimit = 120s;  // the sensor loads its programs before it answers
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

Health health_from(const base::Json& json) {
  Health health;
  const base::Json managed = json.value("managed", base::Json::array());
  for (const auto& [key, value] : json.items()) {
    if (key == "managed") continue;
    HealthField field;
    field.value = value.is_string() ? value.get<std::string>() : value.dump();
    field.managed = std::find(managed.begin(), managed.end(), base::Json(key)) != managed.end();
    health.fields.insert_or_assign(key, field);
  }
  return health;
}

/// What has been seen of the probe in the stream of events.
struct Sightings {
  bool exec = false;
  bool rename = false;

  void take(std::string_view line, const std::string& marker) {
    if (line.find(marker) == std::string_view::npos) return;
    const auto event = base::parse_json(line, "event");
    if (!event || !event->is_object()) return;
    const std::string kind = event->value("kind", "");
    exec = exec || kind == "exec";
    rename = rename || kind == "rename";
  }
};

/// Reads the stream until `enough` or the deadline.
base::Result<Sightings> watch(int stream, const std::string& marker, SteadyClock::time_point deadline,
                              bool rename_wanted) {
  Sightings seen;
  std::string pending;
  std::array<char, 65536> bytes{};
  while (!seen.exec || (rename_wanted && !seen.rename)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left <= 0ms) return seen;
    pollfd readable{stream, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t got = ::recv(stream, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return base::Error(base::Errc::io, "the sensor ended the stream of events");
    pending.append(bytes.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1)
      seen.take(std::string_view(pending).substr(begin, end - begin), marker);
    pending.erase(0, begin);
    if (pending.size() > kLongestLine) pending.clear();
  }
  return seen;
}

}  // namespace

NativeAgent::NativeAgent(std::shared_ptr<Services> services, NativeOptions options)
    : services_(std::move(services)), options_(std::move(options)) {
  if (options_.socket.empty()) options_.socket = sensor::kControlSocket;
  if (options_.managed_file.empty()) options_.managed_file = paths::kNativeManaged;
}

std::string NativeAgent::service() const { return paths::kNativeService; }
std::string NativeAgent::managed_file() const { return options_.managed_file; }

base::Result<base::Json> NativeAgent::ask(const base::Json& request,
                                          std::chrono::milliseconds timeout) const {
  return sensor::ask_sensor(options_.socket, request, timeout);
}

base::Result<AgentStatus> NativeAgent::status() {
  AUDITSHIFT_TRY(json, ask({{"request", "health"}}, kAnswerLimit));
  if (!json.is_object()) return base::Error(base::Errc::invalid, "the sensor's health is no JSON object");
  AgentStatus status;
  status.health = health_from(json);
  status.subsystem = base::to_lower(status.health.get("supplementary_events_subsystem"));
  status.healthy = status.health.get("healthy") == "true";
  return status;
}

base::Result<void> NativeAgent::start_service() {
  AUDITSHIFT_TRY_VOID(services_->enable(service()));
  AUDITSHIFT_TRY_VOID(services_->start(service()));
  const auto deadline = SteadyClock::now() + options_.start_limit;
  while (true) {  // the unit tells when it is ready, but a unit of the administrator's own may not
    auto answer = ask({{"request", "health"}}, kAnswerLimit);
    if (answer) return {};
    if (SteadyClock::now() >= deadline)
      return std::move(answer).error().context(service() + " was started, but its sensor does not answer");
    std::this_thread::sleep_for(100ms);
  }
}

base::Result<void> NativeAgent::set_ebpf(bool enabled) {
  const base::Json request = {{"request", "config"},
                              {"name", "ebpf_supplementary_event_provider"},
                              {"value", enabled ? "enabled" : "disabled"}};
  auto answer = ask(request, kLoadLimit);
  if (!answer && answer.error().code() == base::Errc::not_found && services_ && services_->running()) {
    AUDITSHIFT_TRY_VOID(start_service());
    answer = ask(request, kLoadLimit);
  }
  if (!answer) return std::move(answer).error();
  return {};
}

base::Result<FlowProof> NativeAgent::prove_flow(std::chrono::seconds patience) {
  AUDITSHIFT_TRY(now, status());
  const bool files = now.subsystem != "netlink";  // the process connector tells of processes alone
  AUDITSHIFT_TRY(stream, sensor::open_sensor_stream(
                             options_.socket, {{"request", "events"}, {"format", "raw"}}, kAnswerLimit));
  AUDITSHIFT_TRY(probe, FlowProbe::start(options_.probe_directory, FlowProbe::Pace::calm));
  AUDITSHIFT_TRY(seen, watch(stream.get(), probe.marker(), SteadyClock::now() + patience, files));
  FlowProof proof;
  proof.seen = seen.exec && (seen.rename || !files);
  const std::string where = " in the sensor's stream of events (provider " + now.subsystem + ")";
  const std::string exec =
      seen.exec ? "saw the probe start a program" : "did not see the probe start a program";
  const std::string rename = seen.rename ? "saw it rename " + probe.directory() + "/one"
                                         : "did not see it rename " + probe.directory() + "/one";
  proof.evidence = exec + (files ? ", and " + rename : "; netlink tells nothing of files") + where;
  return proof;
}

}  // namespace auditshift::migrate::outside
