// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/change_run.h"
#include "cli/verbs.h"
#include "migrate/change/package_rollback.h"
#include "migrate/collect.h"
#include "migrate/version.h"

namespace auditshift::cli {
namespace {

using migrate::change::Outcome;

struct RollbackOptions {
  ChangeArguments change;
  RebootOption reboot;
  std::string build;  ///< empty: only the switch is undone
  std::vector<std::string> accept;
};

/// What stands in the way of the other build, each with the id that consents.
int say_obstacles(const migrate::change::PackagePlan& packages) {
  for (const migrate::change::PackageObstacle& obstacle : packages.obstacles)
    report(base::Error(base::Errc::invalid, obstacle.id + ": " + obstacle.text)
               .with_hint(obstacle.overridable ? "if it must be: --accept " + obstacle.id
                                               : "make it available first"));
  return kBlocked;
}

base::Result<migrate::change::PackagePlan> plan_build(const ChangeHost& on, const RollbackOptions& options) {
  const auto build = migrate::BuildVersion::parse(options.build);
  if (!build)
    return base::Error(base::Errc::invalid, "'" + options.build + "' is no build")
        .with_hint("builds look like 101.24072.0001");
  if (!on.host.packages || on.host.packages->manager().empty())
    return base::Error(base::Errc::unsupported, "this host has no package manager that is known here")
        .with_hint("apt, dnf, yum and zypper are");
  AUDITSHIFT_TRY(facts,
                 migrate::change::collect_package_facts(*on.host.packages, migrate::change::kAgentPackage));
  const auto today = std::chrono::floor<std::chrono::days>(on.host.clock->now());
  return migrate::change::plan_package_rollback(*build, facts, migrate::change::expiry_of(*build), today,
                                                options.accept);
}

/// The way back of a switch that is still open comes first.
bool is_open(migrate::change::State state) {
  using migrate::change::State;
  return state != State::idle && state != State::committed && state != State::rolled_back;
}

migrate::change::Plan package_change_plan(const ChangeHost& on,
                                          const migrate::change::PackagePlan& packages) {
  migrate::change::Plan plan = migrate::change::package_plan(packages, on.host.clock->now());
  plan.tool_version = migrate::kToolVersion;
  plan.machine_id = migrate::collect_host(on.world).machine_id;
  return plan;
}

base::Result<int> roll_back(const RollbackOptions& options, const Context& context) {
  if (const auto code = need_root("rolling back")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  const auto when = options.reboot.when(*on.host.clock);
  if (!when) {
    report(when.error());
    return static_cast<int>(kUsage);
  }
  std::optional<migrate::change::PackagePlan> packages;
  if (!options.build.empty()) {
    AUDITSHIFT_TRY(planned, plan_build(on, options));
    packages = planned;
    for (const std::string& warning : packages->warnings)
      std::fprintf(stderr, "warning: %s\n", base::printable(warning).c_str());
    if (!packages->obstacles.empty()) return say_obstacles(*packages);
  }
  const std::string question =
      packages ? "Roll back to build " + packages->version : std::string("Roll the switch back");
  if (const auto code = need_yes(options.change, question)) return *code;
  catch_signals();
  if (const auto code = run_detached(on.host, "rollback", options.change.yes, context)) return *code;
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY(before, transactions.status());
  Outcome outcome{before.state, Outcome::Kind::done, "that build is installed and kept already"};
  const bool change_build = packages && !packages->steps.empty();
  // A build that is there already may be what the open transaction brought: then there is nothing to do.
  const bool other_build = change_build || !migrate::change::is_package_plan(before.plan);
  if (!packages || (is_open(before.state) && other_build)) {
    AUDITSHIFT_TRY(back, transactions.rollback(transaction_options(on, *progress)));
    outcome = back;
    if (back.kind == Outcome::Kind::done) withdraw_reboot(on);
  }
  if (change_build && outcome.kind == Outcome::Kind::done) {
    AUDITSHIFT_TRY(now, plan_build(on, options));  // the way back may have changed the package too
    if (!now.obstacles.empty()) return say_obstacles(now);
    AUDITSHIFT_TRY(changed,
                   transactions.begin(package_change_plan(on, now), transaction_options(on, *progress)));
    outcome = changed;
  }
  if (outcome.kind == Outcome::Kind::reboot_needed)
    if (const auto armed = arm_reboot(on, *when, nullptr, context); !armed) (void)report(armed.error());
  const auto status = transactions.status();
  publish(on, outcome, status ? &*status : nullptr);
  say_outcome(outcome, options.change, status ? &*status : nullptr, context);
  if (change_build && outcome.kind == Outcome::Kind::reboot_needed)
    std::fprintf(stderr, "hint: build %s is installed after that reboot: run this command again then\n",
                 packages->version.c_str());
  // What a switch calls its failure is what was asked for here.
  return outcome.kind == Outcome::Kind::rolled_back && !packages ? static_cast<int>(kDone)
                                                                 : exit_code_of(outcome);
}

base::Result<int> commit(const ChangeArguments& arguments, const Context& context) {
  if (const auto code = need_root("committing")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  if (const auto code = need_yes(arguments, "Give up the way back")) return *code;
  const auto progress = context.progress();
  migrate::change::Transactions transactions(on.host);
  AUDITSHIFT_TRY_VOID(transactions.commit(transaction_options(on, *progress)));
  const auto status = transactions.status();
  const Outcome outcome{migrate::change::State::committed, Outcome::Kind::done, {}};
  publish(on, outcome, status ? &*status : nullptr);
  say_outcome(outcome, arguments, status ? &*status : nullptr, context);
  return static_cast<int>(kDone);
}

}  // namespace

void add_rollback(CLI::App& app, const Context& context, Run& run) {
  auto options = std::make_shared<RollbackOptions>();
  CLI::App* verb = app.add_subcommand(
      "rollback",
      "Brings this host back to where it was before the switch, to the byte. Open until commit.\n\n"
      "  auditshift rollback --yes\n"
      "  auditshift rollback --to-build 101.24072.0001 --accept PKG002 --yes\n\n"
      "Exit: 0 done, 2 the build is not to be had or needs consent, 3 a reboot is needed to finish, 6 "
      "something could not be restored.");
  options->change.add_to(*verb);
  options->reboot.add_to(*verb);
  verb->add_option("--to-build", options->build,
                   "then install this build of Defender and keep it from being upgraded")
      ->type_name("BUILD");
  verb->add_option("--accept", options->accept, "consent to what --to-build warns of, by its id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = roll_back(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

void add_commit(CLI::App& app, const Context& context, Run& run) {
  auto arguments = std::make_shared<ChangeArguments>();
  CLI::App* verb = app.add_subcommand("commit",
                                      "Ends the transaction: the switch stays, the way back is given up.\n\n"
                                      "  auditshift commit --yes");
  arguments->add_to(*verb);
  verb->callback([arguments, &context, &run] {
    run = [arguments, &context]() -> int {
      auto code = commit(*arguments, context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
