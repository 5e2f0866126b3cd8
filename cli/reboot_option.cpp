// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/change_run.h"
#include "cli/verbs.h"

namespace auditshift::cli {
namespace {

using migrate::change::Plan;

/// So long before a reboot its guard looks at the host once more.
constexpr std::chrono::seconds kGuardBefore{60};

base::Result<void> refuse_blocked(const ChangeHost& on, const Plan& plan, const Context& context) {
  AUDITSHIFT_TRY(options, migrate::change::plan_options_from_json(plan.facts.value("options", base::Json())));
  AUDITSHIFT_TRY(reasons, blockers(on, options, context));
  if (reasons.empty()) return {};
  return base::Error(base::Errc::invalid, "no reboot: " + base::join(reasons, "; "))
      .with_hint("mend that, then reboot");
}

/// When the reboot comes that this tool arranged; gone with the boot. Not in the sensor's directory, which
/// systemd empties when that stops.
constexpr const char* kArranged = "/run/auditshift-reboot";
/// shutdown(8), which is asked where logind cannot be, counts in minutes.
constexpr std::chrono::minutes kInexact{1};

/// So that a reboot which somebody else arranges is never taken back. What goes wrong with that is a warning.
void note_reboot(const ChangeHost& on, base::WallTime at) {
  const auto noted = on.host.files->write_atomic(kArranged, base::format_utc(at) + "\n");
  if (!noted) (void)report(base::Error(noted.error()).context("a rollback will not take the reboot back"));
}

/// A transient timer that runs reboot-guard.
base::Result<void> set_guard(const ChangeHost& on, base::WallTime at) {
  const base::WallTime when = at - kGuardBefore;
  if (!on.host.services->running() || when <= on.host.clock->now()) return {};
  const auto program = on.host.files->read_link("/proc/" + std::to_string(::getpid()) + "/exe");
  if (!program) return program.error();
  std::string calendar = base::format_utc(when);  // "2026-11-21T08:00:00Z"; systemd.time(7) wants words
  calendar[10] = ' ';
  calendar.replace(19, 1, " UTC");
  (void)on.host.services->stop("auditshift-reboot-guard.timer");  // of a reboot that this one replaces
  AUDITSHIFT_TRY(done, on.host.processes->run(
                           {.argv = {"systemd-run", "--quiet", "--collect", "--unit=auditshift-reboot-guard",
                                     "--timer-property=AccuracySec=1s", "--on-calendar=" + calendar, *program,
                                     "reboot-guard"},
                            .input = {}}));
  if (done.success()) return {};
  return base::Error(base::Errc::io, "systemd-run: " + std::string(base::trim(done.errors)));
}

base::Result<int> guard(const Context& context) {
  if (const auto code = need_root("guarding a reboot")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  AUDITSHIFT_TRY(status, migrate::change::Transactions(on.host).status());
  if (status.state == migrate::change::State::rolled_back) {
    withdraw_reboot(on);
    return static_cast<int>(kDone);
  }
  if (status.state != migrate::change::State::awaiting_reboot || status.rolling_back)
    return static_cast<int>(kDone);
  const auto clear = refuse_blocked(on, status.plan, context);
  if (clear) return static_cast<int>(kDone);
  AUDITSHIFT_TRY_VOID(on.host.boot->cancel());
  report(clear.error());
  return static_cast<int>(kBlocked);
}

}  // namespace

void withdraw_reboot(const ChangeHost& on) {
  const auto noted = on.host.files->read_file(kArranged);
  if (!noted) return;
  const auto ours = base::parse_utc(base::trim(*noted));
  const auto scheduled = on.host.boot->scheduled();
  if (!ours || !scheduled || !*scheduled) return;
  if ((*scheduled)->kind != "reboot" || std::chrono::abs((*scheduled)->at - *ours) > kInexact) return;
  if (const auto cancelled = on.host.boot->cancel(); !cancelled) {
    (void)report(base::Error(cancelled.error())
                     .context("the reboot at " + base::format_utc(*ours) + " is still arranged")
                     .with_hint("shutdown -c"));
    return;
  }
  (void)on.host.services->stop("auditshift-reboot-guard.timer");
  (void)on.host.files->remove(kArranged);
  std::fprintf(stderr, "the reboot at %s, which the switch needed, is taken back\n",
               base::format_utc(*ours).c_str());
}

void RebootOption::add_to(CLI::App& app) {
  app.add_option("--reboot", text,
                 "if a reboot is needed: never, now, +MIN, HH:MM, or a window such as 'Sat 02:00-04:00'")
      ->type_name("WHEN")
      ->capture_default_str();
}

base::Result<std::optional<migrate::outside::RebootTime>> RebootOption::when(const base::Clock& clock) const {
  return migrate::outside::reboot_time(text, clock.now(), migrate::outside::host_zone());
}

base::Result<void> arm_reboot(const ChangeHost& on, const std::optional<migrate::outside::RebootTime>& when,
                              const Plan* plan, const Context& context) {
  if (!when) return {};
  // Looked at again: what blocks may have come since the plan was made, and after the boot it is too late.
  if (plan != nullptr) AUDITSHIFT_TRY_VOID(refuse_blocked(on, *plan, context));
  AUDITSHIFT_TRY_VOID(on.host.boot->schedule(
      when->at, "auditshift: reboot, so that the change of the audit rules takes effect"));
  note_reboot(on, when->at);
  if (plan == nullptr) return {};
  return set_guard(on, when->at)
      .context("the reboot is arranged, but nothing looks at the host right before it");
}

void add_reboot_guard(CLI::App& app, const Context& context, Run& run) {
  CLI::App* verb = app.add_subcommand(
      "reboot-guard",
      "Right before an arranged reboot: takes it back when something blocks. Run by a timer.");
  verb->group("");  // hidden
  verb->callback([&context, &run] {
    run = [&context]() -> int {
      auto code = guard(context);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
