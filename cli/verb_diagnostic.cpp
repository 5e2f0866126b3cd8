// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <future>
#include <memory>

#include "base/clock.h"
#include "base/json_number.h"
#include "base/sysroot.h"
#include "base/text.h"
#include "cli/dependencies.h"
#include "cli/sensor_client.h"
#include "cli/verbs.h"
#include "migrate/capture.h"
#include "migrate/collect.h"
#include "migrate/exclusion_dangers.h"
#include "migrate/version.h"
#include "sensor/statistics.h"

namespace auditshift::cli {
namespace {

using base::Json;
using namespace std::chrono_literals;

constexpr const char* kBundleDirectory = "/var/lib/auditshift/diagnostic";
constexpr const char* kBundlePart = "/auditshift-diagnostic/";
constexpr int kLogDays = 7;

struct DiagnosticOptions {
  SensorOption sensor;
  JsonOption json;
  unsigned seconds = 20;
  std::size_t top = 10;
  bool cpu = false;
  bool advice = false;
  std::string directory = kBundleDirectory;
};

/// Why each of them hands an intruder a place to hide; the sensor counts, and does not know.
void mark_dangers(std::vector<sensor::Advice>& advice) {
  const auto host = base::Sysroot::open("/");
  if (!host.ok()) return;
  const auto mounts = migrate::mount_points(*host);
  for (sensor::Advice& item : advice) {
    migrate::ManagedExclusion entry;
    entry.kind = item.entry.kind == sensor::ExclusionKind::process
                     ? migrate::ManagedExclusion::Kind::process_path
                 : item.entry.kind == sensor::ExclusionKind::file ? migrate::ManagedExclusion::Kind::file
                                                                  : migrate::ManagedExclusion::Kind::folder;
    entry.value = item.entry.path;
    const migrate::PathFacts facts = migrate::look_at_path(*host, entry.value, mounts);
    item.dangers = migrate::dangers_of(entry, &facts);
  }
}

base::Result<int> ebpf_statistics(const DiagnosticOptions& options, const Context& context) {
  AUDITSHIFT_TRY(health, options.sensor.ask({{"request", "health"}}));
  if (const std::string provider = health.value("supplementary_events_subsystem", ""); provider != "ebpf")
    std::fprintf(stderr, "warning: events come from %s, which does not tell of files\n",
                 provider.empty() ? "nowhere" : base::printable(provider).c_str());
  const auto progress = context.progress();
  progress->step("monitoring for " + base::count_of(options.seconds, "second"));
  const Json request = {{"request", "ebpf-statistics"},
                        {"seconds", options.seconds},
                        {"top", options.top},
                        {"cpu", options.cpu},
                        {"advice", options.advice}};
  auto asked = std::async(std::launch::async, [&] {
    return options.sensor.ask(request, std::chrono::seconds(options.seconds) + 60s);
  });
  for (unsigned second = 0; asked.wait_for(1s) != std::future_status::ready;)
    progress->update(second = std::min(second + 1, options.seconds), options.seconds, "seconds");
  progress->finish();
  AUDITSHIFT_TRY(answer, asked.get());
  sensor::Statistics statistics = sensor::statistics_from_json(answer);
  if (statistics.advice) mark_dangers(*statistics.advice);
  if (statistics.not_counted != 0)
    std::fprintf(stderr, "warning: %s had more different names than are counted\n",
                 base::count_of(statistics.not_counted, "event").c_str());
  AUDITSHIFT_TRY_VOID(write_result(
      "", options.json.wanted() ? options.json.dump(sensor::render_statistics_json(statistics, options.top))
                                : sensor::render_statistics_text(statistics, options.top)));
  return static_cast<int>(kDone);
}

base::Result<int> provider_statistics(const DiagnosticOptions& options, const Context&) {
  AUDITSHIFT_TRY(answer, options.sensor.ask({{"request", "statistics"}}));
  std::vector<std::pair<std::string, std::uint64_t>> counters;
  for (const auto& [name, value] : answer.items())
    counters.emplace_back(name, base::whole_number<std::uint64_t>(value));
  AUDITSHIFT_TRY_VOID(write_result(
      "", options.json.wanted() ? options.json.dump(answer) : sensor::render_counters_text(counters)));
  return static_cast<int>(kDone);
}

/// What the sensor says of itself, or why it does not: that is what a bundle is often made for.
void add_sensor(const SensorOption& sensor, migrate::Capture& bundle) {
  const auto add = [&](const std::string& name, const Json& request) {
    const auto answer = sensor.ask(request);
    const std::string text =
        answer.ok() ? base::dump_json(*answer, base::JsonStyle::pretty) : answer.error().message() + "\n";
    bundle[kBundlePart + name + (answer.ok() ? ".json" : ".error")] = {
        migrate::CaptureEntry::Kind::file, migrate::without_credentials(text), 0600};
    return answer.ok();
  };
  if (!add("health", {{"request", "health"}})) {
    std::fprintf(stderr, "warning: the sensor does not answer on %s; the file says why\n",
                 base::printable(sensor.socket).c_str());
    return;
  }
  add("health-ebpf", {{"request", "health"}, {"details", "ebpf"}});
  add("health-features", {{"request", "health"}, {"details", "features"}});
  add("statistics", {{"request", "statistics"}});
}

/// "/dir/auditshift-diagnostic-db-03-20261121T080000Z.tar.gz"
std::string bundle_name(const std::string& directory, const migrate::World& world) {
  std::string time = base::format_utc(world.clock->now());
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  std::string host = world.uname ? world.uname->node : "host";
  std::replace(host.begin(), host.end(), '/', '_');
  return directory + "/auditshift-diagnostic-" + host + "-" + time + ".tar.gz";
}

base::Result<int> create(const DiagnosticOptions& options, const Context& context) {
  AUDITSHIFT_TRY_VOID(require_root("collecting diagnostics"));
  AUDITSHIFT_TRY(world, migrate::live_world());
  const std::string directory = absolute_path(options.directory);
  AUDITSHIFT_TRY_VOID(
      world.host->make_directories(directory, 0700).context("cannot create the diagnostic file"));
  const auto progress = context.progress();
  const migrate::Facts facts = migrate::collect_facts(world, {kLogDays}, *progress);
  migrate::Capture bundle = migrate::take_capture(world, facts, *progress);
  bundle[std::string(kBundlePart) + "versions"] = {migrate::CaptureEntry::Kind::file,
                                                   std::string("auditshift ") + migrate::kToolVersion +
                                                       "\nlibbpf " + libbpf_version() + "\nlibaudit " +
                                                       libaudit_version() + "\n",
                                                   0600};
  add_sensor(options.sensor, bundle);
  AUDITSHIFT_TRY(archive, migrate::pack_capture(bundle));
  const std::string file = bundle_name(directory, world);
  AUDITSHIFT_TRY_VOID(
      base::write_file_atomic(file, archive, {.mode = 0600}).context("cannot create the diagnostic file"));
  const Json answer = {{"path", file}, {"bytes", archive.size()}, {"entries", bundle.size()}};
  AUDITSHIFT_TRY_VOID(write_result("", options.json.wanted()
                                           ? options.json.dump(answer)
                                           : "Diagnostic file created: \"" + base::printable(file) + "\"\n"));
  return static_cast<int>(kDone);
}

using DiagnosticAction = base::Result<int> (*)(const DiagnosticOptions&, const Context&);

CLI::App* add_verb(CLI::App& diagnostic, const Context& context, Run& run, const char* name,
                   const char* description, const std::shared_ptr<DiagnosticOptions>& options,
                   DiagnosticAction action) {
  CLI::App* verb = diagnostic.add_subcommand(name, description);
  options->json.add_to(*verb);
  options->sensor.add_to(*verb);
  verb->callback([options, &context, &run, action] {
    run = [options, &context, action]() -> int {
      auto code = action(*options, context);
      return code ? *code : report_sensor(code.error());
    };
  });
  return verb;
}

}  // namespace

void add_diagnostic(CLI::App& app, const Context& context, Run& run) {
  CLI::App* diagnostic = app.add_subcommand("diagnostic",
                                            "What keeps the sensor busy; a support bundle.\n\n"
                                            "  auditshift diagnostic ebpf-statistics --advice\n"
                                            "  auditshift diagnostic event-provider-statistics\n"
                                            "  auditshift diagnostic create");
  diagnostic->require_subcommand(1);
  diagnostic->fallthrough();

  auto busiest = std::make_shared<DiagnosticOptions>();
  CLI::App* verb = add_verb(*diagnostic, context, run, "ebpf-statistics",
                            "The busiest file paths, programs and system calls of the next seconds.\n\n"
                            "  auditshift diagnostic ebpf-statistics --time 60 --top 5",
                            busiest, ebpf_statistics);
  verb->add_option("--time", busiest->seconds, "seconds to monitor")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--top", busiest->top, "lines per list")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  verb->add_flag("--cpu", busiest->cpu, "CPU time that the events of each program cost");
  verb->add_flag("--advice", busiest->advice, "exclusions that would remove most, and what they would blind");

  add_verb(*diagnostic, context, run, "event-provider-statistics",
           "Counters of the event stream since the sensor started: written, kept back, lost and why.\n\n"
           "  auditshift diagnostic event-provider-statistics",
           std::make_shared<DiagnosticOptions>(), provider_statistics);

  auto bundle = std::make_shared<DiagnosticOptions>();
  add_verb(*diagnostic, context, run, "create",
           "Packs what support needs: facts of this host, health and counters of the sensor.\n"
           "Leaves out secrets; only root may read the file.\n\n"
           "  auditshift diagnostic create --path /root",
           bundle, create)
      ->add_option("--path", bundle->directory, "directory for the file")
      ->capture_default_str()
      ->type_name("DIR");
}

}  // namespace auditshift::cli
