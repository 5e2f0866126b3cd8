// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "migrate/change/announcer.h"
#include "migrate/change/backup_directory.h"
#include "migrate/change/journal.h"
#include "migrate/change/state_directory.h"
#include "migrate/change/transaction.h"
#include "migrate/change/transaction_record.h"

namespace auditshift::migrate::change {

/// Works on one transaction, from wherever its journal says it is. Every change of the host goes: record that
/// it begins, sync, act, ask whether it stands, record that it does, sync.
///
/// An Error from these functions means that the journal could not be written or the plan not be read: nothing
/// more was done, and calling again goes on. What the host refused is an Outcome.
///
/// REQUIRES: the caller holds the lock.
class Runner {
 public:
  /// Goes on after a reboot, or with a verification, are tried so often; then the switch is rolled back.
  static constexpr unsigned kMaximumAttempts = 3;

  Runner(Host& host, const StateDirectory& directory, JournalFile journal, TransactionRecord transaction,
         const TransactionOptions& options, const StepMaker& make)
      : host_(host),
        directory_(directory),
        journal_(std::move(journal)),
        transaction_(std::move(transaction)),
        options_(options),
        make_(make),
        backups_(host.files, directory.backups()) {}

  base::Result<Outcome> begin();
  base::Result<Outcome> extend(const Plan& plan);
  base::Result<Outcome> resume();
  base::Result<Outcome> rollback();
  base::Result<void> commit();

  const TransactionRecord& transaction() const { return transaction_; }

 private:
  // runner_forward.cpp
  base::Result<Outcome> forward();
  base::Result<std::optional<base::Error>> run_step(std::size_t index);
  base::Result<std::optional<base::Error>> apply_and_check(Step& step, std::size_t index);
  base::Result<void> renew_step(std::size_t index);
  base::Result<Outcome> step_failed(std::size_t index, const base::Error& error);
  base::Result<Outcome> await_reboot();
  base::Result<Outcome> after_reboot();
  base::Result<Outcome> verify();
  base::Result<Outcome> verification_failed(const Verification& verification);
  std::optional<Plan> find_remedy(const Verification& verification);
  base::Result<Outcome> verification_impossible(const base::Error& error);
  base::Result<Outcome> give_up(const std::string& why);
  bool rebooted() const;

  // runner_back.cpp
  base::Result<Outcome> backward();
  base::Result<std::optional<base::Error>> undo_step(std::size_t index);
  void undo_again(std::size_t index, bool too_early);
  base::Result<void> begin_rollback(const std::string& why, bool automatic);
  base::Result<Outcome> finish_rollback();
  bool kernel_lacks() const;
  bool kernel_is_locked() const;
  bool rollback_needs_reboot() const;

  // runner.cpp
  base::Result<void> append(Plan plan, bool remedy, const std::string& message);
  base::Result<void> record(const char* event, base::Json fields = base::Json::object());
  Outcome stopped_by_signal();
  Outcome outcome(Outcome::Kind kind, std::string message) const;
  bool asked_to_stop() const { return options_.interrupted && options_.interrupted(); }
  std::string boot_id() const;
  void announce(Announced kind, std::string text);
  void progress(const std::string& what, std::size_t done);

  Host& host_;
  const StateDirectory& directory_;
  JournalFile journal_;
  TransactionRecord transaction_;
  const TransactionOptions& options_;
  const StepMaker& make_;
  BackupDirectory backups_;
};

}  // namespace auditshift::migrate::change
