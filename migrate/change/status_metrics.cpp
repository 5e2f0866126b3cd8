// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/status_metrics.h"

#include <chrono>

#include "migrate/openmetrics.h"

namespace auditshift::migrate::change {
namespace {

double seconds_of(base::WallTime time) {
  return static_cast<double>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

std::string status_metrics(const Status& status, const std::optional<outside::ScheduledReboot>& reboot) {
  static const std::vector<std::string_view> kStates = {
      to_string(State::idle),        to_string(State::planned),
      to_string(State::applying),    to_string(State::awaiting_reboot),
      to_string(State::verifying),   to_string(State::switched),
      to_string(State::committed),   to_string(State::rolling_back),
      to_string(State::rolled_back), to_string(State::failed)};
  Metrics metrics;
  metrics.gauge("auditshift_switch_state", "1 for the state of this host's switch.");
  metrics.states("state", kStates, to_string(status.state));
  metrics.gauge("auditshift_switch_interrupted", "1 when no process works on a switch that is not over.");
  metrics.sample(status.interrupted ? 1 : 0);
  metrics.gauge("auditshift_switch_steps", "Steps of the newest plan.");
  metrics.sample(static_cast<double>(status.plan.steps.size()));
  metrics.gauge("auditshift_switch_steps_done", "Steps of it that are done.");
  metrics.sample(static_cast<double>(status.steps_done));
  if (!status.id.empty()) {
    metrics.gauge("auditshift_switch_changed_time_seconds", "Its last change, seconds since 1970 UTC.");
    metrics.sample(seconds_of(status.changed));
  }
  if (reboot) {
    metrics.gauge("auditshift_switch_reboot_time_seconds",
                  "When the arranged reboot is, seconds since 1970 UTC.");
    metrics.sample(seconds_of(reboot->at));
  }
  return metrics.take();
}

}  // namespace auditshift::migrate::change
