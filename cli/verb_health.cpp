// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/sysroot.h"
#include "base/text.h"
#include "bpf/probe.h"
#include "cli/health_metrics.h"
#include "cli/sensor_client.h"
#include "cli/verbs.h"
#include "sensor/health.h"

namespace auditshift::cli {
namespace {

using base::Json;

struct HealthOptions {
  SensorOption sensor;
  JsonOption json;
  std::string field;
  std::string details;
  std::string format = "text";
  std::string output;
};

int unknown_field(const sensor::HealthReport& report, const std::string& field) {
  std::fprintf(stderr, "error: health has no field '%s'\n", base::printable(field).c_str());
  if (const auto meant = base::nearest(field, report.keys()))
    std::fprintf(stderr, "hint: did you mean %s?\n", meant->c_str());
  else
    std::fprintf(stderr, "hint: auditshift health shows all fields\n");
  return kUsage;
}

/// Found out here and not by the daemon: trying takes the time in which a daemon has events to read.
void add_kernel_features(sensor::HealthReport& report) {
  constexpr const char* kAnswers[] = {"yes", "no", "unknown"};
  const auto host = base::Sysroot::open("/");
  if (!host.ok()) return;
  for (const bpf::ProbeResult& result : bpf::KernelProbe(*host).run())
    report.add("kernel: " + result.feature,
               kAnswers[result.ok] + (result.detail.empty() ? std::string() : ", " + result.detail));
}

base::Result<int> health(const HealthOptions& options) {
  Json request = {{"request", "health"}};
  if (!options.details.empty()) request["details"] = options.details;
  AUDITSHIFT_TRY(answer, options.sensor.ask(request));
  auto report = sensor::HealthReport::from_json(answer);
  if (options.details == "features") add_kernel_features(report);
  std::string text = options.format == "prom"                            ? health_metrics(answer)
                     : options.json.wanted() || options.format == "json" ? options.json.dump(report.json())
                                                                         : report.text();
  if (!options.field.empty()) {
    const auto value = report.field(options.field);
    if (!value) return unknown_field(report, options.field);
    text = options.json.wanted() ? options.json.dump(report.json()[options.field]) : *value + "\n";
  }
  AUDITSHIFT_TRY_VOID(write_result(options.output, text));
  // Details are values without a judgement.
  const bool well = !options.details.empty() || answer.value("healthy", false);
  return static_cast<int>(well ? kDone : kBlocked);
}

}  // namespace

void add_health(CLI::App& app, const Context&, Run& run) {
  auto options = std::make_shared<HealthOptions>();
  CLI::App* verb =
      app.add_subcommand("health",
                         "Is the sensor well? Laid out as mdatp health.\n\n"
                         "  auditshift health\n"
                         "  auditshift health --field supplementary_events_subsystem\n"
                         "  auditshift health --details ebpf --json\n"
                         "  auditshift health --format prom -o /var/lib/prometheus/node-exporter/"
                         "auditshift_health.prom\n\n"
                         "Exit: 0 healthy, 2 not healthy, 1 the sensor does not answer.");
  CLI::Option* field =
      verb->add_option("--field", options->field, "the value of this field alone")->type_name("F");
  CLI::Option* details = verb->add_option("--details", options->details,
                                          "ebpf: programs, attach points, losses, changes, outputs; "
                                          "features: what is switched on, what is "
                                          "watched, what the kernel allows")
                             ->check(CLI::IsMember({"ebpf", "features"}))
                             ->type_name("WHAT");
  CLI::Option* format =
      verb->add_option("--format", options->format, "text, json or prom (a textfile for node_exporter)")
          ->check(CLI::IsMember({"text", "json", "prom"}))
          ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  // The metrics are of health as a whole.
  for (CLI::Option* part : {field, details}) format->excludes(part);
  options->json.add_to(*verb);
  options->sensor.add_to(*verb);
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = health(*options);
      return code ? *code : report_sensor(code.error());
    };
  });
}

}  // namespace auditshift::cli
