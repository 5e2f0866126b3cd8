// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/change_host.h"
#include "cli/verbs.h"

namespace auditshift::cli {
namespace {

struct PlanOptions {
  RootOption root;
  JsonOption json;
  PlanArguments arguments;
  std::string output;
  bool diff = false;
};

base::Result<int> plan(const PlanOptions& options, const Context& context) {
  const migrate::change::PlanOptions wanted = options.arguments.options();
  AUDITSHIFT_TRY(on, open_change_host(options.root.directory, wanted.agent));
  AUDITSHIFT_TRY(planned, plan_for(on, wanted, context));
  if (planned.unknown_ids) {
    report(*planned.unknown_ids);
    return static_cast<int>(kUsage);
  }
  const migrate::change::PlanAnswer& answer = planned.answer;
  if (!answer.plan) {
    std::string text = "no plan: this host cannot be switched as it is\n";
    for (const std::string& refusal : answer.refusals) text += "  " + base::printable(refusal) + "\n";
    for (const std::string& note : answer.notes) text += "note: " + base::printable(note) + "\n";
    if (options.json.wanted())
      text = options.json.dump({{"schema_version", "1.0"}, {"refusals", answer.refusals}});
    AUDITSHIFT_TRY_VOID(write_result("", text));
    return static_cast<int>(kBlocked);
  }
  const std::string json = options.json.dump(to_json(*answer.plan));
  // It holds the content of files that not everybody may read.
  if (!options.output.empty() && options.output != "-")
    AUDITSHIFT_TRY_VOID(
        base::write_file_atomic(options.output, json, {.mode = 0600}).context("cannot write the plan"));
  if (options.json.wanted() || options.output == "-") {
    AUDITSHIFT_TRY_VOID(write_result("", json));
  } else {
    AUDITSHIFT_TRY(text, migrate::change::render_plan(*answer.plan, options.diff ? &on.host : nullptr));
    if (text.empty()) text = "nothing to do: this host needs no switch\n";
    for (const std::string& note : answer.notes) text += "note: " + base::printable(note) + "\n";
    AUDITSHIFT_TRY_VOID(write_result("", text));
  }
  return static_cast<int>(answer.plan->empty() ? kDone : kBlocked);
}

}  // namespace

void add_plan(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* verb =
      app.add_subcommand("plan",
                         "What a switch of this host would do, step by step. Reads only; changes nothing.\n\n"
                         "  auditshift plan --diff\n"
                         "  auditshift plan -o plan.json; auditshift switch --plan plan.json\n\n"
                         "Exit: 0 nothing to do, 2 there are changes, or something blocks.");
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  options->arguments.add_to(*verb);
  verb->add_option("-o,--output", options->output, "write the plan as JSON to this file, for switch --plan")
      ->type_name("FILE");
  verb->add_flag("--diff", options->diff, "show what each step changes");
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = plan(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
