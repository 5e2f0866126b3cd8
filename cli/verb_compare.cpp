// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/change_run.h"
#include "cli/live_comparison.h"
#include "cli/verbs.h"
#include "migrate/change/plan_facts.h"

namespace auditshift::cli {
namespace {

using migrate::compare::Comparison;

struct CompareOptions {
  JsonOption json;
  CompareRequest request;
  std::string format = "text";
  std::string output;
};

std::string rendered(const Comparison& comparison, const CompareOptions& options, const Context& context) {
  if (options.json.wanted() || options.format == "json") return options.json.dump(to_json(comparison));
  if (options.format == "html") return render_html(comparison);
  migrate::TextOptions text = context.text_options();
  if (!options.output.empty()) text.color = false;
  return render_text(comparison, text);
}

base::Result<int> compare(const CompareOptions& options, const Context& context) {
  if (const auto code = need_root("comparing audit with the sensor")) return *code;
  const auto progress = context.progress();
  catch_signals();
  AUDITSHIFT_TRY(comparison, compare_now(options.request, *progress));
  AUDITSHIFT_TRY_VOID(write_result(options.output, rendered(comparison, options, context)));
  return interrupted() ? static_cast<int>(kInterrupted) : exit_code_of(comparison);
}

std::string check_kind(const std::string& name) {
  return sensor::kind_from_name(name) ? "" : name + " is no kind of event";
}

}  // namespace

void add_compare(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<CompareOptions>();
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
  options->request.sensor.add_to(*verb);
  verb->add_option("--time", options->request.seconds, "seconds to compare")
      ->check(CLI::Range(1U, migrate::change::kLongestComparison))
      ->capture_default_str()
      ->type_name("S");
  verb->add_option("--format", options->format, "text, json or html")
      ->check(CLI::IsMember({"text", "json", "html"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  verb->add_option("--managed", options->request.managed,
                   "take the exclusions from this managed configuration")
      ->type_name("FILE");
  verb->add_option("--without", options->request.without,
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
