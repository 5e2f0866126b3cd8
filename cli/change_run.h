// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/change_host.h"
#include "migrate/change/transaction.h"
#include "migrate/outside/reboot_time.h"

namespace auditshift::cli {

/// What verbs that change the host share.
struct ChangeArguments {
  bool yes = false;
  JsonOption json;

  void add_to(CLI::App& app);
};

/// 77 unless this is root.
std::optional<int> need_root(const std::string& what);

/// Asks "`question` on `host`? [y/N]"; with --yes nothing. An exit code when the answer is not yes.
std::optional<int> need_yes(const ChangeArguments& arguments, const std::string& question);

/// SIGINT and SIGTERM end the work after the current step; SIGHUP does not: a change under way does not stop
/// because somebody's connection broke. For the rest of the process.
void catch_signals();
bool interrupted();

/// Where systemd runs this host: does the rest of this command's work in a transient unit and waits for it,
/// so that the end of the caller's session does not end it. Its exit code, or nothing when the work is to be
/// done by this process.
std::optional<int> run_detached(const migrate::change::Host& host, const std::string& verb, bool yes,
                                const Context& context);

/// The running host with the agent that the newest transaction is about.
base::Result<ChangeHost> open_transaction_host();

/// "root (login uid 1000): auditshift switch --yes".
std::string caller_of(const migrate::change::Host& host);

/// Options of every transaction: verification, signals, progress, the host's log. `progress` and `on` outlive
/// the result.
migrate::change::TransactionOptions transaction_options(const ChangeHost& on, base::Progress& progress);

/// Tells those who did not watch (login message, metrics). What goes wrong with that is a warning.
void publish(const ChangeHost& on, const migrate::change::Outcome& outcome,
             const migrate::change::Status* status);

/// The exit code of the command contract.
int exit_code_of(const migrate::change::Outcome& outcome);

/// Says how it ended, and what to do now. The loss of standard output changes nothing.
void say_outcome(const migrate::change::Outcome& outcome, const ChangeArguments& arguments,
                 const migrate::change::Status* status, const Context& context);

base::Json to_json(const migrate::change::Verification& verification);
base::Json to_json(const migrate::change::Status& status,
                   const std::optional<migrate::outside::ScheduledReboot>& reboot);
std::string render_text(const migrate::change::Verification& verification);
/// What the comparison within the switch came to; empty when there was none.
std::string comparison_line(const migrate::change::Status& status);
std::string render_text(const migrate::change::Status& status,
                        const std::optional<migrate::outside::ScheduledReboot>& reboot);

/// --reboot.
struct RebootOption {
  std::string text = "never";

  void add_to(CLI::App& app);
  /// When it should happen; nothing: never. Errors with Errc::invalid: a value that is none.
  base::Result<std::optional<migrate::outside::RebootTime>> when(const base::Clock& clock) const;
};

/// Has the host reboot then, unless somebody or something stands in the way: that is an error, the reboot
/// stays to be done.
base::Result<void> arm_reboot(const ChangeHost& on, const std::optional<migrate::outside::RebootTime>& when,
                              const migrate::change::Plan* plan, const Context& context);

/// Takes back the reboot that arm_reboot arranged, where it still is; a reboot of somebody else's stays.
void withdraw_reboot(const ChangeHost& on);

}  // namespace auditshift::cli
