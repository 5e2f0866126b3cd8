// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "migrate/change/runner.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Result;

/// Bounds what a record holds, so that the space set aside is enough.
std::string brief(const std::string& message) {
  constexpr std::size_t kLongest = 1000;
  return message.size() <= kLongest ? message : message.substr(0, kLongest) + " …";
}

}  // namespace

Result<Outcome> Runner::forward() {
  const Plan& plan = transaction_.plan;
  for (std::size_t i = 0; i < transaction_.steps.size(); ++i) {
    if (transaction_.steps[i].done) {
      AUDITSHIFT_TRY_VOID(renew_step(i));
      continue;
    }
    if (plan.reboot && i >= plan.before_reboot && !rebooted()) return await_reboot();
    if (asked_to_stop()) return stopped_by_signal();
    AUDITSHIFT_TRY(failure, run_step(i));
    // Not done, not failed either: it begins anew when somebody goes on.
    if (failure && failure->code() == Errc::interrupted && asked_to_stop()) return stopped_by_signal();
    if (failure) return step_failed(i, *failure);
  }
  if (plan.reboot && !rebooted()) return await_reboot();
  if (asked_to_stop()) return stopped_by_signal();
  return verify();
}

Result<std::optional<Error>> Runner::run_step(std::size_t index) {
  StepRecord& recorded = transaction_.steps[index];
  AUDITSHIFT_TRY(step, make_(transaction_.plan.steps[index]));
  progress(step->describe(), index);
  if (!recorded.begun) {
    auto captured = step->capture(host_, backups_);
    if (!captured) return std::optional<Error>(captured.error());
    // Without space to record the way back, there is no way forward.
    const std::size_t line = captured->dump(-1, ' ', false, base::Json::error_handler_t::replace).size();
    if (auto reserved = journal_.reserve(line); !reserved) return std::optional<Error>(reserved.error());
    AUDITSHIFT_TRY_VOID(record(
        event::kStepBegins,
        {{"step", index}, {"id", transaction_.plan.steps[index].id}, {"captured", *std::move(captured)}}));
  }
  return apply_and_check(*step, index);
}

Result<std::optional<Error>> Runner::apply_and_check(Step& step, std::size_t index) {
  const auto applied = step.apply(host_, transaction_.steps[index].captured);
  if (base::Json found = step.found(); !found.is_null())
    AUDITSHIFT_TRY_VOID(record(event::kStepFound, {{"step", index}, {"found", std::move(found)}}));
  if (!applied) return std::optional<Error>(applied.error());
  const auto done = step.done(host_);
  if (!done) return std::optional<Error>(done.error());
  if (!*done) return std::optional<Error>(Error(Errc::io, "it was done, but the host shows no change"));
  AUDITSHIFT_TRY_VOID(record(event::kStepDone, {{"step", index}, {"boot_id", boot_id()}}));
  return std::optional<Error>();
}

/// A boot takes back what lives in the kernel alone. What stands no longer is applied again; where that
/// fails, verification is the judge, who can say what became of it.
Result<void> Runner::renew_step(std::size_t index) {
  if (transaction_.steps[index].done_in_boot == boot_id()) return {};
  AUDITSHIFT_TRY(step, make_(transaction_.plan.steps[index]));
  // What should have outlived the boot was changed by somebody: verification finds that, and who it was.
  if (step->survives_boot()) return {};
  // Not knowing is no reason to leave it: what stands already is not changed by doing it again.
  if (const auto done = step->done(host_); done && *done) return {};
  progress(step->describe(), index);
  AUDITSHIFT_TRY(failure, apply_and_check(*step, index));
  if (failure) spdlog::warn("{} stands no longer: {}", step->describe(), failure->message());
  return {};
}

Result<Outcome> Runner::step_failed(std::size_t index, const Error& error) {
  const std::string message =
      brief("step " + transaction_.plan.steps[index].id + " failed: " + error.message());
  AUDITSHIFT_TRY_VOID(record(event::kStepFailed, {{"step", index}, {"message", message}}));
  if (options_.rollback_on_failure) return give_up(message);
  AUDITSHIFT_TRY_VOID(record(event::kFailed, {{"message", message}}));
  AUDITSHIFT_TRY_VOID(directory_.remove_marker());
  announce(Announced::failed, message);
  return outcome(Outcome::Kind::rollback_incomplete, message);
}

Result<Outcome> Runner::give_up(const std::string& why) {
  AUDITSHIFT_TRY_VOID(begin_rollback(why, true));
  return backward();
}

/// Whether the kernel has booted again since the last step that had to come before that.
bool Runner::rebooted() const {
  std::string reference = transaction_.awaited_boot;
  if (reference.empty()) {
    reference = transaction_.extended_boot;
    for (std::size_t i = transaction_.first_new; i < transaction_.plan.before_reboot; ++i)
      if (transaction_.steps[i].done) reference = transaction_.steps[i].done_in_boot;
  }
  return boot_id() != reference;
}

Result<Outcome> Runner::await_reboot() {
  const std::string reason = transaction_.rolling_back
                                 ? "the kernel must boot again to take back its old audit rules"
                                 : brief(transaction_.plan.reboot_reason);
  // First the marker: a boot in between resumes, and finds by the boot id that it need not wait any more.
  if (auto marked = directory_.set_marker(transaction_.id); !marked) {
    if (transaction_.rolling_back || !options_.rollback_on_failure) return marked.error();
    return give_up(brief(marked.error().message()));
  }
  AUDITSHIFT_TRY_VOID(record(event::kRebootAwaited, {{"boot_id", boot_id()}, {"reason", reason}}));
  announce(Announced::reboot_awaited, "a reboot is needed to go on: " + reason);
  return outcome(Outcome::Kind::reboot_needed, reason);
}

/// Goes on where nobody may be watching: counted, and without the marker when it was tried often enough, so
/// that a failure cannot loop.
Result<Outcome> Runner::after_reboot() {
  const bool too_often = transaction_.attempts >= kMaximumAttempts;
  if (!too_often)
    AUDITSHIFT_TRY_VOID(
        record(event::kAttempt, {{"number", transaction_.attempts + 1}, {"boot_id", boot_id()}}));
  AUDITSHIFT_TRY_VOID(too_often ? directory_.remove_marker() : directory_.set_marker(transaction_.id));
  if (transaction_.rolling_back) return backward();
  if (!too_often) return forward();
  const std::string why = "it did not come to an end in " + std::to_string(kMaximumAttempts) + " attempts";
  if (options_.rollback_on_failure) return give_up(why);
  return outcome(Outcome::Kind::verification_failed, why);
}

Result<Outcome> Runner::verify() {
  progress("verifying", transaction_.steps.size());
  AUDITSHIFT_TRY_VOID(record(event::kVerifying));
  Verification verification;
  if (options_.verify) {
    auto verified = options_.verify(host_, transaction_.plan);
    if (!verified) return verification_impossible(verified.error());
    verification = *std::move(verified);
  }
  AUDITSHIFT_TRY_VOID(record(event::kVerified, {{"checks", to_json(verification)}}));
  if (verification.ok()) {
    AUDITSHIFT_TRY_VOID(record(event::kSwitched));
    AUDITSHIFT_TRY_VOID(directory_.remove_marker());
    announce(Announced::switched, "the switch to eBPF is complete and verified");
    return outcome(Outcome::Kind::done, "switched and verified");
  }
  return verification_failed(verification);
}

Result<Outcome> Runner::verification_failed(const Verification& verification) {
  std::string failed;
  for (const Verified& check : verification.checks)
    if (!check.ok) failed += (failed.empty() ? "" : "; ") + check.id + ": " + check.text;
  const std::string message = brief(
      (transaction_.remedied ? "verification failed again, after a remedy: " : "verification failed: ") +
      failed);
  announce(Announced::verification_failed, message);
  if (const auto remedy = find_remedy(verification)) {
    AUDITSHIFT_TRY_VOID(append(*remedy, true, message));
    return forward();
  }
  if (options_.rollback_on_failure) return give_up(message);
  AUDITSHIFT_TRY_VOID(record(event::kVerifyError, {{"message", message}}));
  AUDITSHIFT_TRY_VOID(directory_.remove_marker());
  directory_.publish(to_status(transaction_));
  return outcome(Outcome::Kind::verification_failed, message);
}

std::optional<Plan> Runner::find_remedy(const Verification& verification) {
  if (transaction_.remedied || !options_.remedy) return std::nullopt;
  auto remedy = options_.remedy(host_, transaction_.plan, verification);
  if (!remedy) {
    spdlog::warn("no remedy: {}", remedy.error().message());
    return std::nullopt;
  }
  if (*remedy && (*remedy)->empty()) return std::nullopt;
  return *std::move(remedy);
}

/// Verification said neither yes nor no. Tried again a bounded number of times.
Result<Outcome> Runner::verification_impossible(const Error& error) {
  const std::string message = brief("verification could not be done: " + error.message());
  AUDITSHIFT_TRY_VOID(record(event::kVerifyError, {{"message", message}}));
  directory_.publish(to_status(transaction_));
  if (transaction_.attempts >= kMaximumAttempts) {
    announce(Announced::verification_failed, message);
    if (options_.rollback_on_failure) return give_up(message);
    return outcome(Outcome::Kind::verification_failed, message);
  }
  AUDITSHIFT_TRY_VOID(directory_.set_marker(transaction_.id));
  return Error(error.code(), message)
      .with_hint("auditshift resume tries again, auditshift rollback undoes the switch.");
}

}  // namespace auditshift::migrate::change
