// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/change_run.h"
#include "cli/sensor_client.h"
#include "cli/verbs.h"
#include "migrate/collect.h"
#include "migrate/compare/side_by_side.h"
#include "migrate/paths.h"
#include "sensor/audit_provider.h"
#include "sensor/ebpf_provider.h"

namespace auditshift::cli {
namespace {

using migrate::compare::Comparison;

struct Options {
  JsonOption json;
  SensorOption sensor;
  std::string format = "text";
  std::string output;
  std::string managed;
  unsigned seconds = 20;
  std::vector<std::string> without;
};

/// Why the two cannot be held against each other here.
base::Result<void> check_audit(const migrate::AuditFacts& audit) {
  using auditd::AuditState;
  switch (audit.status.state) {
    case AuditState::absent:
      return base::Error(base::Errc::unsupported,
                         "cannot compare: this kernel has no audit system, " + audit.status.reason);
    case AuditState::disabled:
      return base::Error(
                 base::Errc::unsupported,
                 "cannot compare: the audit system is switched off (enabled 0), so that nothing is recorded")
          .with_hint("auditctl -e 1, or start auditd");
    case AuditState::unknown:
      return base::Error(base::Errc::unsupported,
                         "cannot compare: the audit system does not answer, " + audit.status.reason);
    default:
      break;
  }
  if (!audit.live.known)
    return base::Error(base::Errc::unsupported,
                       "cannot compare: the audit rules cannot be read, " + audit.live.reason);
  return {};
}

std::string managed_file(const Options& options, const migrate::AgentFacts& agent) {
  if (!options.managed.empty()) return absolute_path(options.managed);
  return agent.kind == migrate::AgentKind::mdatp ? migrate::paths::kMdatpManaged
                                                 : migrate::paths::kNativeManaged;
}

/// The kinds that the running sensor watches; nothing when none runs on eBPF.
std::optional<sensor::KindSet> watched_kinds(const SensorOption& sensor) {
  const auto health = sensor.ask({{"request", "health"}}, std::chrono::seconds(5));
  if (!health.ok() || !health->is_object() || health->value("supplementary_events_subsystem", "") != "ebpf")
    return std::nullopt;
  sensor::KindSet kinds;
  for (const base::Json& name : health->value("event_kinds", base::Json::array()))
    if (const auto kind = name.is_string() ? sensor::kind_from_name(name.get<std::string>()) : std::nullopt)
      kinds.insert(*kind);
  return kinds;
}

struct Settings {
  migrate::compare::SensorSettings sensor;
  std::string from;
};

/// What the sensor of this host is told to report.
base::Result<Settings> read_settings(const Options& options, const migrate::World& world,
                                     const migrate::AgentFacts& agent) {
  Settings settings;
  const auto running = watched_kinds(options.sensor);
  if (running) settings.sensor.options.kinds = *running;
  settings.from =
      running ? "kinds of the running sensor" : "no sensor of this project runs on eBPF, its defaults";
  const std::string file = managed_file(options, agent);
  const auto text = world.host->read_file(file);
  if (text.ok()) {
    AUDITSHIFT_TRY(managed, sensor::parse_managed(*text, file, [&](const std::string& path) {
                     auto resolved = world.host->resolve(path);
                     return resolved.ok() ? std::optional(*std::move(resolved)) : std::nullopt;
                   }));
    settings.from += "; " + base::count_of(managed.exclusions.size(), "exclusion") + " of " + file;
    settings.sensor.exclusions = sensor::Exclusions(std::move(managed.exclusions));
  } else if (!options.managed.empty() || text.error().code() != base::Errc::not_found) {
    return text.error();
  }
  for (const std::string& name : options.without) {
    settings.sensor.options.kinds.erase(*sensor::kind_from_name(name));
    settings.from += "; without " + name;
  }
  return settings;
}

std::string rendered(const Comparison& comparison, const Options& options, const Context& context) {
  if (options.json.wanted() || options.format == "json") return options.json.dump(to_json(comparison));
  if (options.format == "html") return render_html(comparison);
  migrate::TextOptions text = context.text_options();
  if (!options.output.empty()) text.color = false;
  return render_text(comparison, text);
}

/// It is the vendor's programs that will take over, and they cannot be asked.
std::string note_on_defender() {
  return "Defender's own eBPF programs cannot be asked what they see: this shows what programs of this "
         "project "
         "see on this kernel";
}

base::Result<int> compare(const Options& options, const Context& context) {
  if (const auto code = need_root("comparing audit with the sensor")) return *code;
  AUDITSHIFT_TRY(world, migrate::live_world());
  const auto progress = context.progress();
  const migrate::Facts facts = migrate::collect_facts(world, {.log_days = 0}, *progress);
  AUDITSHIFT_TRY_VOID(check_audit(facts.audit));
  AUDITSHIFT_TRY(settings, read_settings(options, world, facts.agent));
  const migrate::compare::RuleBook rules(migrate::compare::live_rules(facts), [&](const std::string& path) {
    auto resolved = world.host->resolve(path);
    return resolved.ok() ? std::optional(*std::move(resolved)) : std::nullopt;
  });

  catch_signals();
  sensor::AuditProvider audit(*world.clock, true);
  sensor::EbpfProvider ebpf(rules.widest_options(), *world.clock);
  const auto kernel = world.audit({facts.audit.version, facts.host.architecture});
  progress->step("comparing for " + base::count_of(options.seconds, "second"));
  auto compared = migrate::compare::compare_live({.audit = audit,
                                                  .sensor = ebpf,
                                                  .kernel = *kernel,
                                                  .clock = *world.clock,
                                                  .time = std::chrono::seconds(options.seconds),
                                                  .own_pid = static_cast<std::uint32_t>(::getpid()),
                                                  .stop = interrupted},
                                                 rules, settings.sensor, *progress);
  progress->finish();
  AUDITSHIFT_TRY(comparison, std::move(compared).context("cannot compare"));
  comparison.host = facts.host.hostname;
  comparison.settings_from = settings.from;
  if (facts.agent.kind == migrate::AgentKind::mdatp) comparison.notes.push_back(note_on_defender());
  AUDITSHIFT_TRY_VOID(write_result(options.output, rendered(comparison, options, context)));
  return interrupted() ? static_cast<int>(kInterrupted) : exit_code_of(comparison);
}

std::string check_kind(const std::string& name) {
  return sensor::kind_from_name(name) ? "" : name + " is no kind of event";
}

}  // namespace

void add_compare(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "compare",
      "Audit and the sensor side by side on what this host does now: per audit rule, events that both tell, "
      "and\n"
      "those that one of them alone tells. Reads only; works while audit is locked.\n\n"
      "  auditshift compare --time 60\n"
      "  auditshift compare --format html -o compare.html\n"
      "  auditshift compare --without rename      does it notice what is missing?\n\n"
      "Exit: 0 nothing that the sensor covers was missed, 2 something was, or events were lost.");
  options->json.add_to(*verb);
  options->sensor.add_to(*verb);
  verb->add_option("--time", options->seconds, "seconds to compare")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str()
      ->type_name("S");
  verb->add_option("--format", options->format, "text, json or html")
      ->check(CLI::IsMember({"text", "json", "html"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  verb->add_option("--managed", options->managed, "take the exclusions from this managed configuration")
      ->type_name("FILE");
  verb->add_option("--without", options->without,
                   "as if the sensor did not watch this kind; can be given again")
      ->type_name("KIND")
      ->check(check_kind)
      ->expected(1)
      ->take_all();
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = compare(*options, context);
      return code ? *code : report_sensor(code.error());
    };
  });
}

}  // namespace auditshift::cli
