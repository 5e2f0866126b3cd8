// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include <algorithm>

#include "migrate/change/runner.h"

namespace auditshift::migrate::change {

using base::Error;
using base::Result;

Result<void> Runner::begin_rollback(const std::string& why, bool automatic) {
  return record(event::kRollbackBegins, {{"automatic", automatic}, {"message", why}});
}

/// Undoes, last step first, whatever may have changed the host. One step that cannot be undone keeps none of
/// the others from it: the more is back, the better the host is off.
Result<Outcome> Runner::backward() {
  std::string failures;
  std::size_t last_undone = 0;  // of the steps that come after
  for (std::size_t i = transaction_.steps.size(); i-- > 0;) {
    const StepRecord& recorded = transaction_.steps[i];
    if (!recorded.begun) continue;
    if (recorded.undone) {
      undo_again(i, recorded.undone_at < last_undone);
      last_undone = std::max(last_undone, recorded.undone_at);
      continue;
    }
    if (asked_to_stop()) return stopped_by_signal();
    AUDITSHIFT_TRY(failure, undo_step(i));
    last_undone = std::max(last_undone, recorded.undone_at);
    if (!failure) continue;
    failures += (failures.empty() ? "" : "; ") + transaction_.plan.steps[i].id + ": " + failure->message();
    if (!failure->hint().empty()) failures += " (" + failure->hint() + ")";
  }
  if (!failures.empty()) {
    const std::string message = "the rollback is incomplete: " + failures.substr(0, 4000);
    AUDITSHIFT_TRY_VOID(record(event::kFailed, {{"message", message}}));
    AUDITSHIFT_TRY_VOID(directory_.remove_marker());
    announce(Announced::failed, message);
    return outcome(Outcome::Kind::rollback_incomplete, message);
  }
  if (rollback_needs_reboot()) return await_reboot();
  return finish_rollback();
}

Result<std::optional<Error>> Runner::undo_step(std::size_t index) {
  const StepSpec& spec = transaction_.plan.steps[index];
  auto step = make_(spec);
  auto undone = Result<void>();
  if (step) {
    progress("undoing: " + (*step)->describe(), transaction_.steps.size() - 1 - index);
    AUDITSHIFT_TRY_VOID(record(event::kUndoBegins, {{"step", index}}));
    undone = (*step)->undo(host_, transaction_.steps[index].captured, backups_);
  } else {
    undone = step.error();
  }
  if (undone) {
    AUDITSHIFT_TRY_VOID(record(event::kUndoDone, {{"step", index}, {"boot_id", boot_id()}}));
    return std::optional<Error>();
  }
  AUDITSHIFT_TRY_VOID(
      record(event::kUndoFailed, {{"step", index}, {"message", undone.error().message().substr(0, 1000)}}));
  return std::optional<Error>(undone.error());
}

/// For a step that was undone while a later one, or a boot, still stood in the way of all of it: a boot takes
/// back what lives in the kernel alone, when other steps still stood on disk; a directory goes with the last
/// file in it. It was undone once, and what somebody changed since is theirs: no failure here.
void Runner::undo_again(std::size_t index, bool too_early) {
  auto step = make_(transaction_.plan.steps[index]);
  if (!step) return;
  const bool lost = transaction_.steps[index].undone_in_boot != boot_id() && !(*step)->survives_boot();
  if (!too_early && !lost) return;
  const auto undone = (*step)->undo(host_, transaction_.steps[index].captured, backups_);
  if (!undone) spdlog::info("{}: {}", (*step)->describe(), undone.error().message());
}

/// Whether the kernel lacks what the steps brought back.
bool Runner::kernel_lacks() const {
  for (std::size_t i = 0; i < transaction_.steps.size(); ++i) {
    if (!transaction_.steps[i].begun) continue;
    const auto step = make_(transaction_.plan.steps[i]);
    if (step && (*step)->waits_for_boot(host_, transaction_.steps[i].captured)) return true;
  }
  return false;
}

bool Runner::kernel_is_locked() const {
  const auditd::AuditState state = host_.audit ? host_.audit->status().state : auditd::AuditState::unknown;
  if (state != auditd::AuditState::unknown) return state == auditd::AuditState::immutable;
  return transaction_.plan.expectations.value("audit_state", "") ==
         auditd::to_string(auditd::AuditState::immutable);
}

/// A locked kernel has the rules of the boot that locked it, and takes others with its next one only.
bool Runner::rollback_needs_reboot() const {
  if (!kernel_is_locked()) return false;
  const std::string now = boot_id();
  const bool in_this_boot = std::any_of(
      transaction_.steps.begin(), transaction_.steps.end(),
      [&](const StepRecord& recorded) { return recorded.undone && recorded.undone_in_boot == now; });
  // Locked all the time: its rules are others only if it booted while the change stood on disk.
  if (transaction_.plan.reboot) return in_this_boot && now != transaction_.begin_boot;
  // Locked since, by a boot or by somebody. The next boot is asked for once.
  return (in_this_boot || now == transaction_.begin_boot) && kernel_lacks();
}

Result<Outcome> Runner::finish_rollback() {
  const bool automatic = transaction_.automatic;
  const std::string why = transaction_.why_back;
  AUDITSHIFT_TRY_VOID(record(event::kRolledBack));
  AUDITSHIFT_TRY_VOID(directory_.remove_marker());
  announce(Announced::rolled_back, "the host is back in the state before the switch: " + why);
  if (const auto removed = backups_.remove_all(); !removed)
    spdlog::warn("backups stay until the next switch: {}", removed.error().message());
  return outcome(automatic ? Outcome::Kind::rolled_back : Outcome::Kind::done,
                 automatic ? "rolled back: " + why : "rolled back");
}

}  // namespace auditshift::migrate::change
