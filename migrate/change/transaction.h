// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "migrate/change/announcer.h"
#include "migrate/change/host.h"
#include "migrate/change/plan.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

enum class State {
  idle,  ///< no transaction, or the last one is over
  planned,
  applying,
  awaiting_reboot,
  verifying,
  switched,
  committed,
  rolling_back,
  rolled_back,
  failed,  ///< a person is needed
};
std::string_view to_string(State state);  ///< "awaiting-reboot"

/// One thing that verification looked at.
struct Verified {
  std::string id;  ///< "user-rules", "provider", "flow", …; never renamed
  bool ok = false;
  std::string text;  ///< what was found
};
struct Verification {
  std::vector<Verified> checks;
  bool ok() const;
};

/// The newest transaction as the journal tells it.
struct Status {
  State state = State::idle;
  std::string id;  ///< of the transaction, empty when there never was one
  base::WallTime started{};
  base::WallTime changed{};
  std::string caller;  ///< who started it: user name, login uid, and the command
  Plan plan;
  std::size_t steps_done = 0;
  bool rolling_back = false;  ///< an awaited reboot or verification belongs to a rollback
  bool interrupted = false;   ///< no process works on it although its state says so
  std::string boot_id;        ///< of the boot that the awaited reboot must end
  std::string message;        ///< of the last failure, or what is waited for
  std::optional<Verification> verification;
  base::Json comparison;  ///< of audit with the sensor, as docs/schema/outcome.schema.json has it; null: none
  std::string next;       ///< what to do now, in words
};

/// How one call ended.
struct Outcome {
  State state = State::idle;
  enum class Kind {
    done,                 ///< as far as it goes
    reboot_needed,        ///< goes on after the next boot
    verification_failed,  ///< the host was left on the new state
    rolled_back,          ///< verification or a step failed, and all was undone
    rollback_incomplete,  ///< a person is needed
    interrupted,          ///< by a signal, after a whole step
  } kind = Kind::done;
  std::string message;
};

struct TransactionOptions {
  std::string caller;
  /// Looks at the host after the last step.
  std::function<base::Result<Verification>(const Host&, const Plan&)> verify;
  /// What to do once about a verification that failed, before everything is rolled back; nothing: that does
  /// not help. May be null.
  std::function<base::Result<std::optional<Plan>>(const Host&, const Plan&, const Verification&)> remedy;
  std::function<bool()> interrupted;   ///< asked between steps
  base::Progress* progress = nullptr;  ///< may be null
  Announcer* announcer = nullptr;      ///< the host's log; may be null
  bool rollback_on_failure = true;     ///< of a step or of verification
};

/// Makes the steps of a plan; tests add kinds of their own.
using StepMaker = std::function<base::Result<std::unique_ptr<Step>>(const StepSpec&)>;

/// One transaction at a time, kept in the host's state directory (docs/journal.md). Every function that
/// changes something holds the lock (Errc::busy names the holder) and goes on where a crash left it.
class Transactions {
 public:
  static constexpr const char* kDirectory = "/var/lib/auditshift";

  /// REQUIRES: `host` outlives this.
  explicit Transactions(Host& host, std::string directory = kDirectory, StepMaker make = make_step);

  base::Result<Status> status() const;                ///< needs no lock
  base::Result<std::vector<Status>> history() const;  ///< oldest first

  /// Errc::exists when a transaction is not over yet; Errc::invalid for an empty plan. Any error that is not
  /// about the journal means that nothing was changed.
  base::Result<Outcome> begin(const Plan& plan, const TransactionOptions& options);
  /// Adds the steps of another plan to a verified switch that was not committed, so that one rollback undoes
  /// both, and goes on as begin does. Errc::invalid in any other state.
  base::Result<Outcome> extend(const Plan& plan, const TransactionOptions& options);
  /// Goes on: with the steps, after the awaited reboot (in the same boot it says reboot_needed), with a
  /// verification or a rollback that was cut off. Nothing to do is no error.
  base::Result<Outcome> resume(const TransactionOptions& options);
  /// Undoes all steps, from any state before committed. Errc::not_found when there is nothing to undo.
  base::Result<Outcome> rollback(const TransactionOptions& options);
  /// Ends a verified switch and removes its backups. Errc::invalid in any other state.
  base::Result<void> commit(const TransactionOptions& options);

 private:
  Host& host_;
  std::string directory_;
  StepMaker make_;
};

}  // namespace auditshift::migrate::change
