// SPDX-License-Identifier: Apache-2.0
#include "cli/health_metrics.h"

#include "migrate/openmetrics.h"

namespace auditshift::cli {
namespace {

using base::Json;

std::string text_of(const Json& health, const char* key) {
  const auto found = health.find(key);
  return found != health.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void put_count(migrate::Metrics& metrics, const Json& health, const char* key, const char* name,
               const char* help) {
  const auto found = health.find(key);
  if (found == health.end() || !found->is_number()) return;
  metrics.counter(name, help);
  metrics.sample(found->get<double>());
}

}  // namespace

std::string health_metrics(const Json& health) {
  migrate::Metrics metrics;
  metrics.gauge("auditshift_health_info", "The sensor and where its events come from; always 1.");
  metrics.sample(1, {{"version", text_of(health, "app_version")},
                     {"subsystem", text_of(health, "supplementary_events_subsystem")},
                     {"tier", text_of(health, "sensor_tier")}});
  metrics.gauge("auditshift_health_healthy", "1 when the sensor is well.");
  const auto healthy = health.find("healthy");
  metrics.sample(healthy != health.end() && healthy->is_boolean() && healthy->get<bool>() ? 1 : 0);
  const auto issues = health.find("health_issues");
  metrics.gauge("auditshift_health_issues", "What is wrong, by number.");
  metrics.sample(issues != health.end() && issues->is_array() ? static_cast<double>(issues->size()) : 0);
  put_count(metrics, health, "events_written", "auditshift_health_events_written_total",
            "Events that the sensor gave out since it started.");
  put_count(metrics, health, "events_excluded", "auditshift_health_events_excluded_total",
            "Events that exclusions kept back.");
  put_count(metrics, health, "events_lost", "auditshift_health_events_lost_total",
            "Events lost before they reached the sensor.");
  put_count(metrics, health, "output_records_lost", "auditshift_health_output_records_lost_total",
            "Events lost on their way out.");
  return metrics.take();
}

}  // namespace auditshift::cli
