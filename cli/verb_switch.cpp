// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include "base/text.h"
#include "cli/change_run.h"
#include "cli/verbs.h"
#include "migrate/change/package_rollback.h"

namespace auditshift::cli {
namespace {

using migrate::change::Plan;

struct SwitchOptions {
  ChangeArguments change;
  PlanArguments arguments;
  RebootOption reboot;
  std::string plan_file;
  bool dry_run = false;
};

/// The plan of --plan.
base::Result<std::optional<Plan>> given_plan(const SwitchOptions& options) {
  if (options.plan_file.empty()) return std::optional<Plan>();
  const std::string path = absolute_path(options.plan_file);
  AUDITSHIFT_TRY(root, base::Sysroot::open("/"));
  AUDITSHIFT_TRY(text, root.read_file(path));
  AUDITSHIFT_TRY(json, base::parse_json(text, path));
  auto plan = migrate::change::plan_from_json(json);
  if (!plan) return std::move(plan).error().context(path);
  return std::optional<Plan>(*std::move(plan));
}

int say_refusals(const std::vector<std::string>& refusals) {
  report(base::Error(base::Errc::invalid, "this host cannot be switched as it is")
             .with_hint("mend or accept what stands in the way, see auditshift assess"));
  for (const std::string& refusal : refusals)
    std::fprintf(stderr, "  %s\n", base::printable(refusal).c_str());
  return kBlocked;
}

using When = std::optional<migrate::outside::RebootTime>;

/// Says how it ended, and arranges the reboot that it needs.
int finish(ChangeHost& on, const Plan& plan, const migrate::change::Outcome& outcome,
           const SwitchOptions& options, const When& when, const Context& context) {
  // The host stands; that its reboot could not be arranged is said, and changes nothing of that.
  if (outcome.kind == migrate::change::Outcome::Kind::reboot_needed)
    if (const auto armed = arm_reboot(on, when, &plan, context); !armed) (void)report(armed.error());
  const auto status = migrate::change::Transactions(on.host).status();
  publish(on, outcome, status ? &*status : nullptr);
  say_outcome(outcome, options.change, status ? &*status : nullptr, context);
  return exit_code_of(outcome);
}

base::Result<int> carry_out(ChangeHost& on, const Plan& plan, const migrate::change::Status& before,
                            const SwitchOptions& options, const When& when, const Context& context) {
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  const migrate::change::TransactionOptions how = transaction_options(on, *progress);
  const bool open = before.state == migrate::change::State::switched;
  // The way back of a change of build is another one, and this plan's first steps are that.
  const bool package_only = open && migrate::change::is_package_plan(before.plan);
  if (package_only) AUDITSHIFT_TRY_VOID(transactions.commit(how));
  // A switch that is complete and not committed: one rollback shall undo both.
  AUDITSHIFT_TRY(outcome,
                 open && !package_only ? transactions.extend(plan, how) : transactions.begin(plan, how));
  return finish(on, plan, outcome, options, when, context);
}

/// A transaction that was cut off, or that waits for a reboot, comes before any new one.
bool is_unfinished(const migrate::change::Status& status) {
  using migrate::change::State;
  return status.state == State::planned || status.state == State::applying ||
         status.state == State::awaiting_reboot || status.state == State::verifying ||
         status.state == State::rolling_back;
}

base::Result<int> go_on(const migrate::change::Status& status, const SwitchOptions& options,
                        const Context& context) {
  if (status.rolling_back) {
    report(base::Error(base::Errc::invalid, "a rollback is under way on this host").with_hint(status.next));
    return static_cast<int>(kBlocked);
  }
  AUDITSHIFT_TRY(on, open_transaction_host());
  const auto when = options.reboot.when(*on.host.clock);
  if (!when) {
    report(when.error());
    return static_cast<int>(kUsage);
  }
  if (options.dry_run) {
    AUDITSHIFT_TRY_VOID(write_result("", render_text(status, std::nullopt)));
    return static_cast<int>(kBlocked);
  }
  if (const auto code = need_yes(options.change, "Go on with the switch that was begun")) return *code;
  catch_signals();
  if (const auto code = run_detached(on.host, "switch", options.change.yes, context)) return *code;
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY(outcome, transactions.resume(transaction_options(on, *progress)));
  return finish(on, status.plan, outcome, options, *when, context);
}

base::Result<int> switch_host(const SwitchOptions& options, const Context& context) {
  if (const auto code = need_root("switching this host")) return *code;
  AUDITSHIFT_TRY(given, given_plan(options));
  migrate::change::PlanOptions wanted = options.arguments.options();
  if (given) {
    AUDITSHIFT_TRY(decided,
                   migrate::change::plan_options_from_json(given->facts.value("options", base::Json())));
    wanted = decided;
  }
  AUDITSHIFT_TRY(on, open_change_host({}, wanted.agent));
  AUDITSHIFT_TRY(status, migrate::change::Transactions(on.host).status());
  if (is_unfinished(status)) return go_on(status, options, context);
  const auto when = options.reboot.when(*on.host.clock);
  if (!when) {
    report(when.error());
    return static_cast<int>(kUsage);
  }
  AUDITSHIFT_TRY(planned, plan_for(on, wanted, context));
  if (planned.unknown_ids) {
    report(*planned.unknown_ids);
    return static_cast<int>(kUsage);
  }
  const migrate::change::PlanAnswer& answer = planned.answer;
  const auto say_notes = [&] {
    for (const std::string& note : answer.notes)
      std::fprintf(stderr, "note: %s\n", base::printable(note).c_str());
  };
  if (!answer.plan) {
    say_notes();
    return say_refusals(answer.refusals);
  }
  if (given)
    if (const auto current = migrate::change::check_current(*given, *answer.plan); !current) {
      report(current.error());
      return static_cast<int>(kBlocked);
    }
  say_notes();
  if (options.dry_run) {
    AUDITSHIFT_TRY(text, migrate::change::render_plan(*answer.plan, &on.host));
    AUDITSHIFT_TRY_VOID(write_result("", text.empty() ? "nothing to do: this host needs no switch\n" : text));
    return static_cast<int>(answer.plan->empty() ? kDone : kBlocked);
  }
  if (answer.plan->empty()) {
    say_outcome({migrate::change::State::idle, migrate::change::Outcome::Kind::done,
                 "nothing to do: this host needs no switch"},
                options.change, nullptr, context);
    return static_cast<int>(kDone);
  }
  if (!options.change.yes) {
    AUDITSHIFT_TRY(text, migrate::change::render_plan(*answer.plan, nullptr));
    std::fputs(text.c_str(), stderr);
  }
  if (const auto code = need_yes(options.change, "Carry this out")) return *code;
  catch_signals();
  if (const auto code = run_detached(on.host, "switch", options.change.yes, context)) return *code;
  return carry_out(on, *answer.plan, status, options, *when, context);
}

struct ResumeOptions {
  ChangeArguments change;
  bool wait = false;
};

/// As Transactions::resume; with --wait behind another run that holds the lock, which is looked for again
/// each second.
base::Result<migrate::change::Outcome> resume_in_turn(migrate::change::Transactions& transactions,
                                                      const ChangeHost& on, const ResumeOptions& options,
                                                      base::Progress& progress) {
  constexpr int kSeconds = 600;
  for (int waited = 0;; ++waited) {
    auto outcome = transactions.resume(transaction_options(on, progress));
    const bool busy = !outcome && outcome.error().code() == base::Errc::busy;
    if (!busy || !options.wait || waited == kSeconds || interrupted()) {
      // What the other run came to.
      const bool undone = outcome && outcome->state == migrate::change::State::rolled_back;
      if (waited != 0 && undone) outcome->kind = migrate::change::Outcome::Kind::rolled_back;
      return outcome;
    }
    if (waited == 0)
      std::fprintf(stderr, "%s; waiting\n", base::printable(outcome.error().message()).c_str());
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

/// What the boot unit runs: goes on with a transaction that a reboot or a crash cut off.
base::Result<int> resume(const ResumeOptions& options, const Context& context) {
  const ChangeArguments& arguments = options.change;
  if (const auto code = need_root("going on with a transaction")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  catch_signals();
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY(outcome, resume_in_turn(transactions, on, options, *progress));
  if (outcome.state == migrate::change::State::rolled_back) withdraw_reboot(on);
  const auto status = transactions.status();
  publish(on, outcome, status ? &*status : nullptr);
  say_outcome(outcome, arguments, status ? &*status : nullptr, context);
  return exit_code_of(outcome);
}

}  // namespace

void add_switch(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<SwitchOptions>();
  CLI::App* verb = app.add_subcommand(
      "switch",
      "Takes this host from auditd to eBPF: plans, changes, verifies. Rolled back when that fails.\n\n"
      "  auditshift switch --dry-run\n"
      "  auditshift switch --yes\n"
      "  auditshift switch --yes --reboot 'Sat 02:00-04:00'\n"
      "  auditshift switch --plan plan.json --yes\n\n"
      "Exit: 0 done or nothing to do, 2 something blocks, 3 a reboot is needed to go on, 5 failed and "
      "rolled\n"
      "back, 6 failed and a person is needed.");
  options->change.add_to(*verb);
  options->arguments.add_to(*verb);
  options->reboot.add_to(*verb);
  verb->add_option("--plan", options->plan_file, "carry out this plan; refused when the host has changed")
      ->type_name("FILE");
  verb->add_flag("--dry-run,--plan-only", options->dry_run,
                 "show the plan with its differences, change nothing");
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = switch_host(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

void add_resume(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<ResumeOptions>();
  CLI::App* verb = app.add_subcommand("resume", "Goes on after a reboot or a crash. Run at boot by a unit.");
  verb->group("");  // hidden
  options->change.add_to(*verb);
  verb->add_flag("--wait", options->wait, "let another run end first, ten minutes at most");
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = resume(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
