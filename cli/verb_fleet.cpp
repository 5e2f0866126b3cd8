// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/clock.h"
#include "base/sysroot.h"
#include "base/text.h"
#include "cli/verb_fleet.h"
#include "cli/verbs.h"
#include "migrate/fleet/render.h"

namespace auditshift::cli {
namespace {

namespace fleet = migrate::fleet;

struct FleetOptions {
  std::string directory;
  JsonOption json;
  std::string format = "text";
  std::string output;
  std::string hosts;
  std::string policy;
  int stale_days = 30;
  unsigned policy_percent = 10;
};

base::Result<fleet::FleetOptions> fleet_options(const FleetOptions& options) {
  fleet::FleetOptions result;
  result.now = base::SystemClock().now();
  result.stale_days = options.stale_days;
  result.policy_percent = options.policy_percent;
  if (!options.hosts.empty()) {
    AUDITSHIFT_TRY(text, read_argument_file(options.hosts, "cannot read the list of hosts"));
    result.expected = fleet::ExpectedHosts::parse(text);
  }
  return result;
}

std::string rendered(const fleet::Fleet& all, const FleetOptions& options, const Context& context) {
  if (options.json.wanted() || options.format == "json")
    return render_json(all,
                       options.json.style == "short" ? base::JsonStyle::compact : base::JsonStyle::pretty);
  if (options.format == "html") return render_html(all);
  if (options.format == "csv") return render_csv(all);
  migrate::TextOptions text = context.text_options();
  if (!options.output.empty()) text.color = false;
  return render_text(all, text);
}

base::Result<int> make_report(const FleetOptions& options, const Context& context) {
  AUDITSHIFT_TRY(how, fleet_options(options));
  AUDITSHIFT_TRY(directory, base::Sysroot::open(absolute_path(options.directory)));
  const auto progress = context.progress();
  fleet::FleetBuilder builder;
  const auto take = [&](fleet::HostReport report) {
    builder.add(std::move(report));
    return base::Result<void>();
  };
  AUDITSHIFT_TRY(reading, fleet::read_directory(directory, {}, take, *progress));
  progress->step("writing the report");
  const fleet::Fleet all = std::move(builder).finish(std::move(reading), std::move(how));
  if (all.hosts.empty() && all.reading.damaged.empty() && !all.options.expected)
    return base::Error(base::Errc::not_found, "no assessment below " + options.directory)
        .with_hint("fill it with files made by: auditshift assess --json -o HOST.json");
  const std::string text = rendered(all, options, context);
  progress->finish();
  AUDITSHIFT_TRY_VOID(write_result(options.output, text));
  if (!options.policy.empty()) {
    if (all.policy.empty()) {
      std::fputs("note: no exclusion is fit for one policy; no file written\n", stderr);
    } else {
      AUDITSHIFT_TRY_VOID(write_result(options.policy, all.policy));
    }
  }
  return static_cast<int>(all.is_well() ? kDone : kBlocked);
}

void add_report(CLI::App& parent, const Context& context, Run& run) {
  auto options = std::make_shared<FleetOptions>();
  CLI::App* verb = parent.add_subcommand(
      "report",
      "One report of many hosts' assessments (`assess --json`), found below DIR as *.json.\n\n"
      "  auditshift fleet report reports/\n"
      "  auditshift fleet report reports/ --format html -o fleet.html\n"
      "  auditshift fleet report reports/ --hosts expected.txt --stale-days 7 --json\n"
      "  auditshift fleet report reports/ --policy managed.json\n\n"
      "Exit: 0 every host is ready or switched, 2 a host needs a person, is missing or stale, or a file\n"
      "could not be used.");
  verb->add_option("DIR", options->directory, "the directory with the assessments, any levels deep")
      ->required();
  options->json.add_to(*verb);
  verb->add_option("--format", options->format, "text, html, json or csv")
      ->check(CLI::IsMember({"text", "html", "json", "csv"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  verb->add_option("--hosts", options->hosts, "names of the hosts that should be there, one a line")
      ->type_name("FILE");
  verb->add_option("--stale-days", options->stale_days, "a newest report that is older is stale")
      ->check(CLI::Range(0, 36500))
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--policy", options->policy, "write the exclusions fit for one policy as managed JSON")
      ->type_name("FILE");
  verb->add_option("--policy-percent", options->policy_percent,
                   "how many hosts in a hundred must have an exclusion for that")
      ->check(CLI::Range(0U, 100U))
      ->capture_default_str()
      ->type_name("N");
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = make_report(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace

base::Result<std::string> read_argument_file(const std::string& path, std::string_view what) {
  const std::string absolute = absolute_path(path);
  AUDITSHIFT_TRY(root, base::Sysroot::open("/"));
  return root.read_file(absolute).context(what);
}

void add_fleet(CLI::App& app, const Context& context, Run& run) {
  CLI::App* verb = app.add_subcommand("fleet",
                                      "Many hosts: one report, a database, queries.\n\n"
                                      "  auditshift fleet report reports/ --format html -o fleet.html\n"
                                      "  auditshift fleet ingest reports/ --db fleet.db\n"
                                      "  auditshift fleet query --db fleet.db 'SELECT * FROM in_the_way'");
  verb->require_subcommand(1);
  verb->fallthrough();
  add_report(*verb, context, run);
  add_fleet_store(*verb, context, run);
}

}  // namespace auditshift::cli
