// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/known_ids.h"
#include "cli/verbs.h"
#include "migrate/assess.h"
#include "migrate/assessment_json.h"
#include "migrate/collect.h"
#include "migrate/render_html.h"
#include "migrate/render_openmetrics.h"

namespace auditshift::cli {
namespace {

struct AssessOptions {
  RootOption root;
  JsonOption json;
  std::string format = "text";
  std::string output;
  int log_days = 30;
  std::vector<std::string> skip;
  std::vector<std::string> accept;
};

std::string rendered(const migrate::Assessment& assessment, const AssessOptions& options,
                     const Context& context) {
  if (options.json.wanted() || options.format == "json")
    return options.json.dump(migrate::to_json(assessment));
  if (options.format == "html") return migrate::render_html(assessment);
  if (options.format == "prom") return migrate::render_openmetrics(assessment);
  migrate::TextOptions text = context.text_options();
  if (!options.output.empty()) text.color = false;
  return migrate::render_text(assessment, text);
}

base::Result<int> assess(const AssessOptions& options, const Context& context) {
  AUDITSHIFT_TRY(world, options.root.world());
  const auto progress = context.progress();
  migrate::Facts facts = migrate::collect_facts(world, {options.log_days}, *progress);
  const migrate::AssessOptions ids{{options.skip.begin(), options.skip.end()},
                                   {options.accept.begin(), options.accept.end()}};
  const migrate::Assessment assessment = migrate::assess(std::move(facts), ids);
  if (auto checked = check_ids(assessment, ids); !checked) {
    report(checked.error());
    return static_cast<int>(kUsage);
  }
  AUDITSHIFT_TRY_VOID(write_result(options.output, rendered(assessment, options, context)));
  return migrate::exit_code_of(assessment);
}

}  // namespace

void add_assess(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<AssessOptions>();
  CLI::App* verb = app.add_subcommand(
      "assess",
      "Is this host ready for the switch? Reads only; changes nothing.\n\n"
      "  auditshift assess\n"
      "  auditshift assess --json -o report.json\n"
      "  auditshift assess --format html -o report.html\n"
      "  auditshift assess --root /mnt/captured-host\n"
      "  auditshift assess --accept HST007 --skip EXC001\n\n"
      "Exit: 0 ready or already switched, 2 something blocks, 3 ready and a reboot is needed.");
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  verb->add_option("--format", options->format, "text, json, html or prom (a textfile for node_exporter)")
      ->check(CLI::IsMember({"text", "json", "html", "prom"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  verb->add_option("--log-days", options->log_days, "how far back the audit log is read; 0 leaves it out")
      ->check(CLI::Range(0, 36500))
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--skip", options->skip, "leave out the check with this id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  verb->add_option("--accept", options->accept, "accept the finding or exclusion with this id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = assess(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
