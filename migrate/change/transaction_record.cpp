// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/transaction_record.h"

#include <algorithm>
#include <functional>

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Result<std::string> text(const Json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_string())
    return Error(Errc::invalid, std::string("'") + key + "' is not text");
  return found->get<std::string>();
}

Result<bool> flag(const Json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_boolean())
    return Error(Errc::invalid, std::string("'") + key + "' is neither true nor false");
  return found->get<bool>();
}

Result<StepRecord*> step(TransactionRecord& transaction, const Json& record) {
  const auto found = record.find("step");
  if (found == record.end() || !found->is_number_unsigned() ||
      found->get<std::size_t>() >= transaction.steps.size())
    return Error(Errc::invalid, "'step' is not the number of a step");
  return &transaction.steps[found->get<std::size_t>()];
}

Result<Verification> verification_from_json(const Json& json) {
  Verification verification;
  if (!json.is_array()) return Error(Errc::invalid, "'checks' is no array");
  for (const Json& check : json) {
    if (!check.is_object()) return Error(Errc::invalid, "'checks' holds what is no object");
    AUDITSHIFT_TRY(id, text(check, "id"));
    AUDITSHIFT_TRY(ok, flag(check, "ok"));
    AUDITSHIFT_TRY(found, text(check, "text"));
    verification.checks.push_back({.id = id, .ok = ok, .text = found});
  }
  return verification;
}

using Take = Result<void> (*)(TransactionRecord&, const Json&);

Result<void> take_begin(TransactionRecord& transaction, const Json& record) {
  const auto plan = record.find("plan");
  if (plan == record.end()) return Error(Errc::invalid, "'plan' is missing");
  AUDITSHIFT_TRY(parsed, plan_from_json(*plan));
  AUDITSHIFT_TRY(caller, text(record, "caller"));
  AUDITSHIFT_TRY(boot, text(record, "boot_id"));
  transaction.plan = std::move(parsed);
  transaction.caller = caller;
  transaction.begin_boot = boot;
  transaction.extended_boot = boot;
  transaction.steps.assign(transaction.plan.steps.size(), {});
  transaction.started = transaction.changed;
  transaction.state = State::applying;
  return {};
}

/// The steps of `more` follow those of the transaction.
void append(TransactionRecord& transaction, Plan more, bool remedy) {
  Plan& plan = transaction.plan;
  transaction.first_new = plan.steps.size();
  plan.before_reboot = transaction.first_new + more.before_reboot;
  for (StepSpec& spec : more.steps) plan.steps.push_back(std::move(spec));
  transaction.steps.resize(plan.steps.size());
  if (more.reboot) {
    plan.reboot = true;
    plan.reboot_reason = std::move(more.reboot_reason);
    transaction.awaited_boot.clear();
  }
  if (remedy) return;  // the host is held against what it was held against before
  plan.tool_version = std::move(more.tool_version);
  plan.facts = std::move(more.facts);
  plan.facts_hash = std::move(more.facts_hash);
  plan.expectations = std::move(more.expectations);
}

Result<void> take_extended(TransactionRecord& transaction, const Json& record) {
  const auto plan = record.find("plan");
  if (plan == record.end()) return Error(Errc::invalid, "'plan' is missing");
  AUDITSHIFT_TRY(parsed, plan_from_json(*plan));
  AUDITSHIFT_TRY(boot, text(record, "boot_id"));
  AUDITSHIFT_TRY(remedy, flag(record, "remedy"));
  append(transaction, std::move(parsed), remedy);
  transaction.extended_boot = boot;
  transaction.remedied = remedy;
  if (!remedy) transaction.attempts = 0;
  transaction.state = State::applying;
  return {};
}

Result<void> take_step_begins(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(at, step(transaction, record));
  const auto captured = record.find("captured");
  if (captured == record.end()) return Error(Errc::invalid, "'captured' is missing");
  at->begun = true;
  at->captured = *captured;
  return {};
}

Result<void> take_step_found(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(at, step(transaction, record));
  const auto found = record.find("found");
  if (found == record.end()) return Error(Errc::invalid, "'found' is missing");
  at->found = *found;
  return {};
}

Result<void> take_step_done(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(at, step(transaction, record));
  AUDITSHIFT_TRY(boot, text(record, "boot_id"));
  at->done = true;
  at->done_in_boot = boot;
  return {};
}

Result<void> take_reboot_awaited(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(boot, text(record, "boot_id"));
  AUDITSHIFT_TRY(reason, text(record, "reason"));
  transaction.awaited_boot = boot;
  transaction.state = State::awaiting_reboot;
  transaction.message = reason;
  return {};
}

Result<void> take_attempt(TransactionRecord& transaction, const Json&) {
  ++transaction.attempts;
  transaction.state = transaction.rolling_back ? State::rolling_back : State::applying;
  transaction.message.clear();
  return {};
}

Result<void> take_verifying(TransactionRecord& transaction, const Json&) {
  transaction.state = State::verifying;
  return {};
}

Result<void> take_message(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(message, text(record, "message"));
  transaction.message = message;
  return {};
}

Result<void> take_verified(TransactionRecord& transaction, const Json& record) {
  const auto checks = record.find("checks");
  if (checks == record.end()) return Error(Errc::invalid, "'checks' is missing");
  AUDITSHIFT_TRY(verification, verification_from_json(*checks));
  transaction.verification = std::move(verification);
  return {};
}

Result<void> take_switched(TransactionRecord& transaction, const Json&) {
  transaction.state = State::switched;
  transaction.attempts = 0;
  transaction.message.clear();
  return {};
}

Result<void> take_rollback_begins(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(automatic, flag(record, "automatic"));
  transaction.rolling_back = true;
  transaction.automatic = automatic;
  transaction.state = State::rolling_back;
  AUDITSHIFT_TRY_VOID(take_message(transaction, record));
  transaction.why_back = transaction.message;
  return {};
}

Result<void> take_undo_begins(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(at, step(transaction, record));
  (void)at;
  transaction.state = State::rolling_back;
  return {};
}

Result<void> take_undo_done(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(at, step(transaction, record));
  AUDITSHIFT_TRY(boot, text(record, "boot_id"));
  at->undone = true;
  at->undone_at = ++transaction.undone;
  at->undone_in_boot = boot;
  return {};
}

Result<void> take_rolled_back(TransactionRecord& transaction, const Json&) {
  transaction.state = State::rolled_back;
  transaction.message = transaction.why_back;  // a reboot in between had a message of its own
  return {};
}

Result<void> take_failed(TransactionRecord& transaction, const Json& record) {
  transaction.state = State::failed;
  return take_message(transaction, record);
}

Result<void> take_interrupted(TransactionRecord& transaction, const Json& record) {
  if (transaction.attempts > 0) --transaction.attempts;  // a person's stop is no failed attempt
  return take_message(transaction, record);
}

Result<void> take_committed(TransactionRecord& transaction, const Json&) {
  transaction.state = State::committed;
  return {};
}

Result<void> take_nothing(TransactionRecord&, const Json&) { return {}; }

struct Event {
  std::string_view name;
  Take take;
};
constexpr Event kEvents[] = {
    {event::kBegin, take_begin},
    {event::kExtended, take_extended},
    {event::kStepBegins, take_step_begins},
    {event::kStepFound, take_step_found},
    {event::kStepDone, take_step_done},
    {event::kStepFailed, take_message},
    {event::kRebootAwaited, take_reboot_awaited},
    {event::kAttempt, take_attempt},
    {event::kVerifying, take_verifying},
    {event::kVerifyError, take_message},
    {event::kVerified, take_verified},
    {event::kSwitched, take_switched},
    {event::kRollbackBegins, take_rollback_begins},
    {event::kUndoBegins, take_undo_begins},
    {event::kUndoDone, take_undo_done},
    {event::kUndoFailed, take_message},
    {event::kRolledBack, take_rolled_back},
    {event::kFailed, take_failed},
    {event::kInterrupted, take_interrupted},
    {event::kCommitted, take_committed},
    {event::kNote, take_nothing},
};

}  // namespace

bool Verification::ok() const {
  return std::all_of(checks.begin(), checks.end(), [](const Verified& check) { return check.ok; });
}

std::size_t TransactionRecord::steps_done() const {
  return static_cast<std::size_t>(std::count_if(
      steps.begin(), steps.end(), [](const StepRecord& record) { return record.done && !record.undone; }));
}

Result<void> take_record(TransactionRecord& transaction, const Json& record) {
  AUDITSHIFT_TRY(name, text(record, "event"));
  AUDITSHIFT_TRY(at, text(record, "at"));
  const auto time = base::parse_utc(at);
  if (!time) return Error(Errc::invalid, "'at' is no time");
  transaction.changed = *time;
  for (const Event& known : kEvents)
    if (known.name == name) return known.take(transaction, record);
  return Error(Errc::unsupported, "this version knows no event '" + name + "'")
      .with_hint("Use the version that began this transaction.");
}

Result<TransactionRecord> replay(const std::vector<Json>& records, std::string id, std::string_view name) {
  TransactionRecord transaction;
  transaction.id = std::move(id);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto taken = take_record(transaction, records[i]);
    const bool first = i == 0;
    const auto event = records[i].find("event");
    if (taken && (event->get<std::string>() == event::kBegin) != first)
      taken = Error(Errc::invalid, "'begin' must be the first record and no other");
    if (!taken) return std::move(taken).context(std::string(name) + ":" + std::to_string(i + 2)).error();
  }
  if (records.empty()) return Error(Errc::invalid, std::string(name) + ": the journal holds no record");
  return transaction;
}

}  // namespace auditshift::migrate::change
