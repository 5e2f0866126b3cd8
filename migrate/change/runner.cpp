// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"

namespace auditshift::migrate::change {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Result<void> Runner::record(const char* event, Json fields) {
  Json line = Json::object();
  line["at"] = base::format_utc(host_.clock->now());
  line["event"] = event;
  for (auto& [key, value] : fields.items()) line[key] = std::move(value);
  AUDITSHIFT_TRY_VOID(journal_.append(line));
  const State before = transaction_.state;
  AUDITSHIFT_TRY_VOID(take_record(transaction_, line));
  if (before != transaction_.state) directory_.publish(to_status(transaction_));
  return {};
}

Result<Outcome> Runner::begin() {
  announce(Announced::begun, "a switch to eBPF began: " + base::count_of(transaction_.steps.size(), "step") +
                                 ", by " + transaction_.caller);
  return forward();
}

Result<Outcome> Runner::extend(const Plan& plan) {
  if (transaction_.state != State::switched)
    return Error(Errc::invalid, "only a switch that is complete can be extended: this one is " +
                                    std::string(to_string(transaction_.state)))
        .with_hint(to_status(transaction_).next);
  if (auto appended = append(plan, false, options_.caller); !appended) {
    if (transaction_.state == State::switched)
      (void)directory_.remove_marker();  // a boot finds nothing to do
    return appended.error();
  }
  announce(Announced::begun, "the switch to eBPF was extended: " + base::count_of(plan.steps.size(), "step") +
                                 " more, by " + options_.caller);
  return forward();
}

/// Records further steps. Their ids count on from those that are there.
Result<void> Runner::append(Plan plan, bool remedy, const std::string& message) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    std::string& id = plan.steps[i].id;
    id = std::to_string(transaction_.steps.size() + i + 1) + id.substr(std::min(id.find('-'), id.size()));
  }
  Json fields = {
      {"caller", options_.caller}, {"boot_id", boot_id()}, {"remedy", remedy}, {"message", message}};
  fields["plan"] = to_json(plan);
  // As in begin: from this record on, no boot leaves the host half changed.
  AUDITSHIFT_TRY_VOID(directory_.set_marker(transaction_.id));
  AUDITSHIFT_TRY_VOID(journal_.reserve(fields.dump(-1, ' ', false, Json::error_handler_t::replace).size()));
  return record(event::kExtended, std::move(fields));
}

Result<Outcome> Runner::resume() {
  (void)journal_.reserve(0);  // on a full disk what was set aside at the beginning has to do
  switch (transaction_.state) {
    case State::awaiting_reboot:
      if (boot_id() == transaction_.awaited_boot) {
        AUDITSHIFT_TRY_VOID(directory_.set_marker(transaction_.id));
        return outcome(Outcome::Kind::reboot_needed, transaction_.message);
      }
      return after_reboot();
    case State::idle:
    case State::switched:
    case State::committed:
    case State::rolled_back:
      AUDITSHIFT_TRY_VOID(directory_.remove_marker());  // whoever ended it may have died before that
      return outcome(Outcome::Kind::done, "there is nothing to go on with");
    case State::failed:
      return rollback();
    case State::planned:
    case State::applying:
    case State::rolling_back:
      // Cut off by a boot it is counted like what follows an awaited one.
      if (transaction_.attempts > 0 || boot_id() != transaction_.begin_boot) return after_reboot();
      return transaction_.rolling_back ? backward() : forward();
    case State::verifying:
      return after_reboot();
  }
  return Error(Errc::invalid, "the transaction is in no known state");
}

Result<Outcome> Runner::rollback() {
  (void)journal_.reserve(0);  // as above
  if (transaction_.state == State::rolled_back)
    return outcome(Outcome::Kind::done, "it was rolled back already");
  if (transaction_.state == State::committed)
    return Error(Errc::not_found, "the switch was committed, its way back is gone")
        .with_hint("auditshift history shows what it did.");
  if (transaction_.rolling_back && transaction_.state == State::awaiting_reboot) {
    if (boot_id() != transaction_.awaited_boot) return after_reboot();
    AUDITSHIFT_TRY_VOID(directory_.set_marker(transaction_.id));
    return outcome(Outcome::Kind::reboot_needed, transaction_.message);
  }
  // Should the power fail, the next boot goes on. No reason not to begin.
  if (const auto marked = directory_.set_marker(transaction_.id); !marked)
    spdlog::warn("{}", marked.error().message());
  if (!transaction_.rolling_back) AUDITSHIFT_TRY_VOID(begin_rollback("asked for", false));
  return backward();
}

Result<void> Runner::commit() {
  if (transaction_.state != State::committed) {
    if (transaction_.state != State::switched)
      return Error(Errc::invalid,
                   "nothing to commit: the transaction is " + std::string(to_string(transaction_.state)))
          .with_hint(to_status(transaction_).next);
    AUDITSHIFT_TRY_VOID(record(event::kCommitted));
    announce(Announced::committed, "the switch to eBPF was committed");
  }
  return backups_.remove_all();
}

Outcome Runner::stopped_by_signal() {
  std::string message = "stopped; " + base::count_of(transaction_.steps_done(), "step") + " of " +
                        std::to_string(transaction_.steps.size()) + " stand";
  const auto recorded = record(event::kInterrupted, {{"message", message}});
  if (!recorded) spdlog::warn("{}", recorded.error().message());
  // What is stopped is no failed attempt, so that attempts do not bound it: only the first boot goes on.
  if (transaction_.attempts > 0)
    if (const auto removed = directory_.remove_marker(); !removed)
      spdlog::warn("{}", removed.error().message());
  directory_.publish(to_status(transaction_));
  return outcome(Outcome::Kind::interrupted, message + "; " + to_status(transaction_).next);
}

Outcome Runner::outcome(Outcome::Kind kind, std::string message) const {
  return {.state = transaction_.state, .kind = kind, .message = std::move(message)};
}

std::string Runner::boot_id() const {
  if (!host_.boot) return {};
  const auto id = host_.boot->boot_id();
  if (id) return *id;
  spdlog::warn("cannot tell which boot this is: {}", id.error().message());
  // Not knowing must never look like another boot.
  return transaction_.awaited_boot.empty() ? transaction_.begin_boot : transaction_.awaited_boot;
}

void Runner::announce(Announced kind, std::string text) {
  if (options_.announcer == nullptr) return;
  const auto sent =
      options_.announcer->announce({.kind = kind, .transaction = transaction_.id, .text = std::move(text)});
  if (!sent) spdlog::debug("not in the host's log: {}", sent.error().message());
}

void Runner::progress(const std::string& what, std::size_t done) {
  if (options_.progress == nullptr) return;
  options_.progress->step(what);
  options_.progress->update(done, transaction_.steps.size(), "steps");
}

}  // namespace auditshift::migrate::change
