// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/transaction.h"

#include <spdlog/spdlog.h>

#include "migrate/change/runner.h"
#include "migrate/change/state_directory.h"
#include "migrate/change/transaction_record.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;
using base::Error;
using base::Json;
using base::Result;

Result<TransactionRecord> read_transaction(const StateDirectory& directory, const std::string& id) {
  const std::string path = directory.journal(id);
  AUDITSHIFT_TRY(text, directory.host()->read_file(path));
  AUDITSHIFT_TRY(journal, parse_journal(text, path));
  if (journal.torn != 0)
    spdlog::info("{}: the last {} bytes are an unfinished record and do not count", path, journal.torn);
  return replay(journal.records, id, path);
}

/// The newest transaction, ready to be worked on.
struct Opened {
  base::Fd lock;
  std::string id;  ///< empty: there is none, perhaps a marker of one whose begin was cut off
};

Result<Opened> open_newest(const StateDirectory& directory, const Host& host, const std::string& caller) {
  Opened opened;
  AUDITSHIFT_TRY(ids, directory.ids());
  if (ids.empty() && !directory.marked()) return opened;
  AUDITSHIFT_TRY(lock, directory.lock(caller, host.clock->now()));
  opened.lock = std::move(lock);
  // A run that ended just now may have begun another one.
  AUDITSHIFT_TRY(again, directory.ids());
  if (!again.empty()) opened.id = again.back();
  return opened;
}

Result<Runner> make_runner(Host& host, const StateDirectory& directory, const std::string& id,
                           const TransactionOptions& options, const StepMaker& make) {
  AUDITSHIFT_TRY(journal, JournalFile::open(directory.host(), directory.journal(id)));
  AUDITSHIFT_TRY(transaction, replay(journal.records(), id, directory.journal(id)));
  if (journal.cut() != 0) {
    const std::string text = std::to_string(journal.cut()) + " bytes of an unfinished record were cut off";
    spdlog::warn("{}: {}", directory.journal(id), text);
    AUDITSHIFT_TRY_VOID(journal.append(
        {{"at", base::format_utc(host.clock->now())}, {"event", event::kNote}, {"message", text}}));
  }
  return Runner(host, directory, std::move(journal), std::move(transaction), options, make);
}

/// Refuses what could not be undone or not be begun, while nothing has changed yet.
Result<void> check_plan(const Plan& plan, const Host& host, const StepMaker& make) {
  if (plan.empty()) return Error(Errc::invalid, "the plan is empty, there is nothing to switch");
  if (plan.before_reboot > plan.steps.size())
    return Error(Errc::invalid, "the plan waits for a reboot after more steps than it has");
  for (const StepSpec& spec : plan.steps) {
    auto step = make(spec);
    if (!step) return step.error();
  }
  if (!plan.reboot) return {};
  if (!host.boot)
    return Error(Errc::unsupported, "the plan needs a reboot, and this host cannot tell its boots apart");
  AUDITSHIFT_TRY(boot, host.boot->boot_id());
  (void)boot;
  return {};
}

}  // namespace

Transactions::Transactions(Host& host, std::string directory, StepMaker make)
    : host_(host), directory_(std::move(directory)), make_(std::move(make)) {}

Result<Status> Transactions::status() const {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY(ids, directory.ids());
  if (ids.empty()) {
    TransactionRecord none;
    none.state = State::idle;
    return to_status(none);
  }
  AUDITSHIFT_TRY(transaction, read_transaction(directory, ids.back()));
  Status status = to_status(transaction);
  const bool at_work = status.state == State::applying || status.state == State::verifying ||
                       status.state == State::rolling_back;
  status.interrupted = at_work && !directory.locked();
  return status;
}

Result<std::vector<Status>> Transactions::history() const {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY(ids, directory.ids());
  std::vector<Status> history;
  for (const std::string& id : ids) {
    const auto transaction = read_transaction(directory, id);
    if (transaction) {
      history.push_back(to_status(*transaction));
      continue;
    }
    Status unreadable;
    unreadable.id = id;
    unreadable.state = State::failed;
    unreadable.message = transaction.error().message();
    history.push_back(std::move(unreadable));
  }
  return history;
}

Result<Outcome> Transactions::begin(const Plan& plan, const TransactionOptions& options) {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY_VOID(check_plan(plan, host_, make_));
  const auto nothing_changed = [](auto result) { return std::move(result).context("nothing was changed"); };
  AUDITSHIFT_TRY_VOID(nothing_changed(directory.make()));
  AUDITSHIFT_TRY(lock, directory.lock(options.caller, host_.clock->now()));
  const base::Fd held = std::move(lock);
  AUDITSHIFT_TRY(ids, directory.ids());
  if (!ids.empty()) {
    AUDITSHIFT_TRY(newest, read_transaction(directory, ids.back()));
    if (!newest.over())
      return Error(Errc::exists,
                   "a switch is under way already: it is " + std::string(to_string(newest.state)))
          .with_hint(to_status(newest).next);
    // Nobody needs them any more, whoever died before removing them.
    BackupDirectory backups(host_.files, directory.backups());
    AUDITSHIFT_TRY_VOID(nothing_changed(backups.remove_all()));
  }
  const std::string id = StateDirectory::id_after(ids);
  std::string boot;
  if (host_.boot)
    if (const auto now = host_.boot->boot_id()) boot = *now;
  const Json first = {{"at", base::format_utc(host_.clock->now())},
                      {"event", event::kBegin},
                      {"caller", options.caller},
                      {"boot_id", boot},
                      {"plan", to_json(plan)}};
  AUDITSHIFT_TRY_VOID(nothing_changed(host_.files->remove_leftovers(directory.journal(id))));
  // Before there is anything to go on with: from the first record on, no boot leaves the host half changed.
  AUDITSHIFT_TRY_VOID(nothing_changed(directory.set_marker(id)));
  auto created = JournalFile::create(host_.files, directory.journal(id), first);
  if (!created) {
    (void)directory.remove_marker();  // a boot that finds it alone removes it
    return nothing_changed(Result<void>(std::move(created).error())).error();
  }
  JournalFile journal = *std::move(created);
  AUDITSHIFT_TRY(transaction, replay(journal.records(), id, directory.journal(id)));
  directory.publish(to_status(transaction));
  Runner runner(host_, directory, std::move(journal), std::move(transaction), options, make_);
  return runner.begin();
}

Result<Outcome> Transactions::extend(const Plan& plan, const TransactionOptions& options) {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY_VOID(check_plan(plan, host_, make_));
  AUDITSHIFT_TRY(newest, open_newest(directory, host_, options.caller));
  if (newest.id.empty()) return Error(Errc::invalid, "there was no switch, so there is nothing to extend");
  AUDITSHIFT_TRY(runner, make_runner(host_, directory, newest.id, options, make_));
  return runner.extend(plan);
}

Result<Outcome> Transactions::resume(const TransactionOptions& options) {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY(newest, open_newest(directory, host_, options.caller));
  if (newest.id.empty()) {
    if (newest.lock) AUDITSHIFT_TRY_VOID(directory.remove_marker());
    return Outcome{.message = "there is nothing to go on with"};
  }
  AUDITSHIFT_TRY(runner, make_runner(host_, directory, newest.id, options, make_));
  return runner.resume();
}

Result<Outcome> Transactions::rollback(const TransactionOptions& options) {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY(newest, open_newest(directory, host_, options.caller));
  if (newest.id.empty())
    return Error(Errc::not_found, "there was no switch, so there is nothing to roll back");
  AUDITSHIFT_TRY(runner, make_runner(host_, directory, newest.id, options, make_));
  return runner.rollback();
}

Result<void> Transactions::commit(const TransactionOptions& options) {
  const StateDirectory directory(host_.files, directory_);
  AUDITSHIFT_TRY(newest, open_newest(directory, host_, options.caller));
  if (newest.id.empty()) return Error(Errc::not_found, "there was no switch, so there is nothing to commit");
  AUDITSHIFT_TRY(runner, make_runner(host_, directory, newest.id, options, make_));
  return runner.commit();
}

}  // namespace auditshift::migrate::change
