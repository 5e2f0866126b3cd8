// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/change_run.h"
#include "cli/verbs.h"
#include "migrate/change/verify.h"

namespace auditshift::cli {
namespace {

using migrate::change::State;

struct VerifyOptions {
  JsonOption json;
  unsigned patience = 20;
};

base::Result<int> verify(const VerifyOptions& options) {
  if (const auto code = need_root("verifying this host")) return *code;
  AUDITSHIFT_TRY(on, open_transaction_host());
  const auto status = migrate::change::Transactions(on.host).status();
  const bool switched = status &&
                        (status->state == State::switched || status->state == State::committed ||
                         status->state == State::awaiting_reboot) &&
                        !status->rolling_back;
  migrate::change::VerifyOptions wanted;
  wanted.patience = std::chrono::seconds(options.patience);
  if (switched) {
    wanted.plan = &status->plan;
    wanted.since = status->changed;
    // Until the reboot the locked kernel goes on recording for Defender.
    if (status->plan.reboot)
      wanted.since = std::max(status->changed, migrate::change::booted_at(*on.host.clock));
  }
  AUDITSHIFT_TRY(result, migrate::change::verify_host(on.host, wanted));
  const bool waiting = switched && status->state == State::awaiting_reboot;
  if (options.json.wanted()) {
    base::Json document = {{"schema_version", "1.0"},
                           {"state", status ? migrate::change::to_string(status->state) : "unknown"},
                           {"reboot_pending", waiting}};
    document.update(to_json(result));
    AUDITSHIFT_TRY_VOID(write_result("", options.json.dump(document)));
  } else {
    std::string text = render_text(result);
    if (waiting) text += "a reboot is needed: " + status->plan.reboot_reason + "\n";
    AUDITSHIFT_TRY_VOID(write_result("", text));
  }
  if (waiting) return static_cast<int>(kRebootNeeded);
  return static_cast<int>(result.ok() ? kDone : kVerificationFailed);
}

}  // namespace

void add_verify(CLI::App& app, const Context&, Run& run) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verb = app.add_subcommand(
      "verify",
      "Does the switch hold? Defender's rules gone, your own in place, eBPF on, events flowing.\n"
      "Changes nothing; for people and for monitoring.\n\n"
      "  auditshift verify --json=short\n\n"
      "Exit: 0 it holds, 3 a reboot is needed first, 4 it does not.");
  options->json.add_to(*verb);
  verb->add_option("--patience", options->patience, "how long to wait for the event of the probe process")
      ->type_name("SECONDS")
      ->check(CLI::Range(1U, 600U))
      ->capture_default_str();
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = verify(*options);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
