// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/sensor_client.h"
#include "cli/verbs.h"

namespace auditshift::cli {
namespace {

using base::Json;

/// Loading the kernel side takes its time on a busy host.
constexpr std::chrono::seconds kLoadLimit{120};

struct ConfigOptions {
  SensorOption sensor;
  JsonOption json;
  std::string value;
};

base::Result<int> set_provider(const ConfigOptions& options, const Context& context) {
  AUDITSHIFT_TRY_VOID(require_root("changing the configuration of the sensor"));
  AUDITSHIFT_TRY(answer, options.sensor.ask({{"request", "config"},
                                             {"name", "ebpf_supplementary_event_provider"},
                                             {"value", options.value}},
                                            kLoadLimit));
  const std::string provider = answer.value("provider", "");
  const std::string note = answer.value("note", "");
  if (options.json.wanted()) {
    AUDITSHIFT_TRY_VOID(write_result("", options.json.dump(answer)));
  } else {
    std::string text = answer.value("message", "") + "\n";
    if (!note.empty()) text += base::printable(note) + "\n";
    AUDITSHIFT_TRY_VOID(write_result("", text));
  }
  if (!note.empty() || context.quiet) return static_cast<int>(kDone);
  const bool as_asked = (provider == "ebpf") == (options.value == "enabled");
  std::fprintf(stderr, "%sevents come from %s%s\n",
               as_asked ? "" : "warning: ", base::printable(provider).c_str(),
               as_asked ? "" : ": see auditshift health and the options the sensor was started with");
  return static_cast<int>(kDone);
}

}  // namespace

void add_config(CLI::App& app, const Context& context, Run& run) {
  CLI::App* config =
      app.add_subcommand("config",
                         "Settings of the running sensor.\n\n"
                         "  auditshift config ebpf-supplementary-event-provider --value enabled");
  config->require_subcommand(1);
  config->fallthrough();
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* verb =
      config->add_subcommand("ebpf-supplementary-event-provider",
                             "Whether eBPF may supply the events; else netlink does.\n\n"
                             "  auditshift config ebpf-supplementary-event-provider --value enabled\n\n"
                             "Takes effect at once and stays. What the managed configuration says in\n"
                             "features.ebpfSupplementaryEventProvider wins.");
  verb->add_option("--value", options->value, "enabled or disabled")
      ->required()
      ->check(CLI::IsMember({"enabled", "disabled"}))
      ->type_name("VALUE");
  options->json.add_to(*verb);
  options->sensor.add_to(*verb);
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = set_provider(*options, context);
      return code ? *code : report_sensor(code.error());
    };
  });
}

}  // namespace auditshift::cli
