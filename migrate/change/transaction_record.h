// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "migrate/change/plan.h"
#include "migrate/change/transaction.h"

namespace auditshift::migrate::change {

/// The names of a journal's records (docs/journal.md); never renamed.
namespace event {
inline constexpr const char* kBegin = "begin";
inline constexpr const char* kExtended = "extended";
inline constexpr const char* kStepBegins = "step-begins";
inline constexpr const char* kStepFound = "step-found";
inline constexpr const char* kStepDone = "step-done";
inline constexpr const char* kStepFailed = "step-failed";
inline constexpr const char* kRebootAwaited = "reboot-awaited";
inline constexpr const char* kAttempt = "attempt";
inline constexpr const char* kVerifying = "verifying";
inline constexpr const char* kVerifyError = "verify-error";
inline constexpr const char* kVerified = "verified";
inline constexpr const char* kSwitched = "switched";
inline constexpr const char* kRollbackBegins = "rollback-begins";
inline constexpr const char* kUndoBegins = "undo-begins";
inline constexpr const char* kUndoDone = "undo-done";
inline constexpr const char* kUndoFailed = "undo-failed";
inline constexpr const char* kRolledBack = "rolled-back";
inline constexpr const char* kFailed = "failed";
inline constexpr const char* kInterrupted = "interrupted";
inline constexpr const char* kCommitted = "committed";
inline constexpr const char* kNote = "note";
}  // namespace event

/// How far one step came.
struct StepRecord {
  bool begun = false;  ///< it may have changed the host
  bool done = false;
  bool undone = false;
  std::size_t undone_at = 0;  ///< its place in the order of undoing, from 1
  base::Json captured;
  base::Json found;  ///< what it found out; null: nothing
  std::string done_in_boot;
  std::string undone_in_boot;
};

/// A transaction as its journal tells it: what is left after its records, taken one by one.
struct TransactionRecord {
  std::string id;
  Plan plan;
  std::string caller;
  base::WallTime started{};
  base::WallTime changed{};
  std::string begin_boot;     ///< boot id when it began; empty when unknown
  std::string extended_boot;  ///< boot id when the newest extension began, else begin_boot
  std::vector<StepRecord> steps;
  std::size_t undone = 0;  ///< so often a step was undone
  State state = State::planned;
  bool rolling_back = false;
  bool automatic = false;     ///< the rollback: begun by a failure, not by a person
  std::string why_back;       ///< why it is rolled back
  bool remedied = false;      ///< what verification found wrong was mended once; the next time it counts
  std::string awaited_boot;   ///< the boot that must end, empty when none was ever awaited
  std::size_t first_new = 0;  ///< the first step of the newest extension; 0: there was none
  unsigned attempts = 0;      ///< to go on after a reboot or with a verification, that did not come to an end
  std::string message;
  std::optional<Verification> verification;

  bool over() const {
    return state == State::committed || state == State::rolled_back || state == State::idle;
  }
  std::size_t steps_done() const;
};

/// Takes one record. Errors: a field is missing or of another kind, an event that this version does not know.
base::Result<void> take_record(TransactionRecord& transaction, const base::Json& record);
/// All records of a journal; the first must be "begin". `name` is the file's, for messages.
base::Result<TransactionRecord> replay(const std::vector<base::Json>& records, std::string id,
                                       std::string_view name);

base::Json to_json(const Verification& verification);
/// The record as `status` reports it, without what only the running host can tell.
Status to_status(const TransactionRecord& transaction);
/// The state file: Status in JSON, for monitoring. The plan is named by its steps only.
base::Json to_json(const Status& status);

}  // namespace auditshift::migrate::change
