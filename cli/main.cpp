// SPDX-License-Identifier: Apache-2.0
#include <libaudit.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "cli/dependencies.h"
#include "cli/help.h"
#include "cli/option_table.h"
#include "cli/verbs.h"
#include "migrate/version.h"

namespace {

using namespace auditshift;

std::string version_text() {
  return std::string("auditshift ") + migrate::kToolVersion + "\nlibbpf " + cli::libbpf_version() +
         "\nlibaudit " + cli::libaudit_version();
}

/// Every word that could stand where `verb` failed: the verbs below it, its options and those of all verbs.
std::vector<std::string> words_for(const CLI::App& verb) {
  std::vector<std::string> words;
  for (const CLI::App* below : verb.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(below->get_name());
  for (const CLI::App* at = &verb; at != nullptr; at = at->get_parent())
    for (const CLI::Option* option : at->get_options())
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  return words;
}

/// The deepest verb that was recognised before the error.
const CLI::App& chosen(const CLI::App& app) {
  for (const CLI::App* verb : app.get_subcommands()) return chosen(*verb);
  return app;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& verb = chosen(app);
  const std::vector<std::string> left = app.remaining(true);
  const bool wants_verb = error.get_name() == "RequiredError" && verb.get_subcommands().empty() &&
                          !verb.get_subcommands([](const CLI::App*) { return true; }).empty();
  std::string message = error.what();
  if (wants_verb)
    message = left.empty() ? cli::path_of(verb) + " needs a verb"
                           : "'" + left.front() + "' is no verb or option of " + cli::path_of(verb);
  std::fprintf(stderr, "error: %s\n", base::printable(message).c_str());
  const std::vector<std::string> words = words_for(verb);
  const std::vector<std::string_view> candidates(words.begin(), words.end());
  for (const std::string& word : left) {
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    if (const auto meant = base::nearest(name, candidates)) {
      std::fprintf(stderr, "hint: did you mean %s?\n", meant->c_str());
      return cli::kUsage;
    }
  }
  std::fprintf(stderr, "hint: see %s --help\n", cli::path_of(verb).c_str());
  return cli::kUsage;
}

int run_main(int argc, char** argv) {
  CLI::App app(
      "Moves Linux hosts from auditd-fed endpoint sensing to eBPF.\n\n"
      "  auditshift assess              is this host ready, and what is in the way?\n"
      "  auditshift plan --diff         what would a switch change?\n"
      "  auditshift switch              take this host to eBPF; rollback brings it back\n"
      "  auditshift verify              does the switch hold?\n"
      "  auditshift rules list          every audit rule, with its owner and meaning\n"
      "  auditshift rules check FILE    what auditctl would say to a rules file\n"
      "  auditshift exclusions translate   what becomes of audit exclusions, and at which price\n"
      "  auditshift health              is the sensor well, and where do its events come from?\n"
      "  auditshift fleet report DIR    many hosts' assessments as one report");
  app.name("auditshift");
  app.formatter(std::make_shared<cli::HelpFormatter>());
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.fallthrough();

  cli::Context context;
  app.add_flag("-q,--quiet", context.quiet, "no progress, errors only");
  app.add_flag("-v,--verbose", context.verbose, "explain every decision");
  app.add_flag("--no-color", context.no_color, "no colour");
  app.add_option("--progress-fd", context.progress_fd, "write progress as JSON Lines to this descriptor")
      ->type_name("N");

  cli::Run run;
  cli::add_assess(app, context, run);
  cli::add_collect(app, context, run);
  cli::add_compare(app, context, run);
  cli::add_exclusions(app, context, run);
  cli::add_rules(app, context, run);
  cli::add_plan(app, context, run);
  cli::add_switch(app, context, run);
  cli::add_status(app, context, run);
  cli::add_verify(app, context, run);
  cli::add_rollback(app, context, run);
  cli::add_commit(app, context, run);
  cli::add_history(app, context, run);
  cli::add_resume(app, context, run);
  cli::add_reboot_guard(app, context, run);
  cli::add_health(app, context, run);
  cli::add_config(app, context, run);
  cli::add_diagnostic(app, context, run);
  cli::add_events(app, context, run);
  cli::add_completion(app, context, run);
  cli::add_complete(app, context, run);
  cli::add_manual(app, context, run);
  cli::add_fleet(app, context, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    std::ostringstream text;
    app.exit(help, text, text);
    const auto written = cli::write_result("", text.str());
    return written ? cli::kDone : cli::report(written.error());
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  base::init_logging(context.quiet     ? base::Verbosity::quiet
                     : context.verbose ? base::Verbosity::verbose
                                       : base::Verbosity::normal);
  if (const auto opened = context.open_progress(); !opened) {
    (void)cli::report(opened.error());
    return cli::kUsage;
  }
  return run();
}

}  // namespace

int main(int argc, char** argv) {
  // libaudit would write its own messages to the terminal or to syslog.
  set_aumessage_mode(MSG_QUIET, DBG_NO);
  // Whoever watches the progress may go away; a reader of the result that does is dealt with where it is
  // written.
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return run_main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", base::printable(error.what()).c_str());
    return cli::kFailed;
  }
}
