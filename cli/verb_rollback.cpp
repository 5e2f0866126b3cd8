// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/change_run.h"
#include "cli/verbs.h"

namespace auditshift::cli {
namespace {

using migrate::change::Outcome;

struct Options {
  ChangeArguments change;
  RebootOption reboot;
};

base::Result<int> roll_back(const Options& options, const Context& context) {
  if (const auto code = need_root("rolling back")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  const auto when = options.reboot.when(*on.host.clock);
  if (!when) {
    report(when.error());
    return static_cast<int>(kUsage);
  }
  if (const auto code = need_yes(options.change, "Roll the switch back")) return *code;
  catch_signals();
  if (const auto code = run_detached(on.host, "rollback", options.change.yes)) return *code;
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY(outcome, transactions.rollback(transaction_options(on.host, *progress)));
  if (outcome.kind == Outcome::Kind::reboot_needed)
    if (const auto armed = arm_reboot(on, *when, nullptr, context); !armed) (void)report(armed.error());
  const auto status = transactions.status();
  say_outcome(outcome, options.change, status ? &*status : nullptr, context);
  // What a switch calls its failure is what was asked for here.
  return outcome.kind == Outcome::Kind::rolled_back ? static_cast<int>(kDone) : exit_code_of(outcome);
}

base::Result<int> commit(const ChangeArguments& arguments, const Context& context) {
  if (const auto code = need_root("committing")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  if (const auto code = need_yes(arguments, "Give up the way back")) return *code;
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY_VOID(transactions.commit(transaction_options(on.host, *progress)));
  const auto status = transactions.status();
  say_outcome({migrate::change::State::committed, Outcome::Kind::done, {}}, arguments,
              status ? &*status : nullptr, context);
  return static_cast<int>(kDone);
}

}  // namespace

void add_rollback(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "rollback",
      "Brings this host back to where it was before the switch, to the byte. Open until commit.\n\n"
      "  auditshift rollback --yes\n\n"
      "Exit: 0 done, 3 a reboot is needed to finish, 6 something could not be restored.");
  options->change.add_to(*verb);
  options->reboot.add_to(*verb);
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = roll_back(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

void add_commit(CLI::App& app, const Context& context, Run& run) {
  auto arguments = std::make_shared<ChangeArguments>();
  CLI::App* verb =
      app.add_subcommand("commit", "Ends the transaction: the switch stays, the way back is given up.");
  arguments->add_to(*verb);
  verb->callback([arguments, &context, &run] {
    run = [arguments, &context]() -> int {
      auto code = commit(*arguments, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
