// SPDX-License-Identifier: Apache-2.0
#include "cli/change_run.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/text.h"
#include "migrate/change/package_rollback.h"
#include "migrate/change/publish_result.h"
#include "migrate/change/remedy.h"
#include "migrate/change/verify.h"

namespace auditshift::cli {
namespace {

using migrate::change::Outcome;

volatile sig_atomic_t g_interrupted = 0;

void note_interrupt(int) { g_interrupted = 1; }

/// A change that was made is made, whether anybody reads about it or not.
void say(const std::string& text) { (void)base::write_all(STDOUT_FILENO, text, "standard output"); }

std::string_view name_of(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::done:
      return "done";
    case Outcome::Kind::reboot_needed:
      return "reboot-needed";
    case Outcome::Kind::verification_failed:
      return "verification-failed";
    case Outcome::Kind::rolled_back:
      return "rolled-back";
    case Outcome::Kind::rollback_incomplete:
      return "rollback-incomplete";
    case Outcome::Kind::interrupted:
      return "interrupted";
  }
  return "unknown";
}

}  // namespace

void ChangeArguments::add_to(CLI::App& app) {
  app.add_flag("-y,--yes", yes, "do not ask");
  json.add_to(app);
}

std::optional<int> need_root(const std::string& what) {
  if (::geteuid() == 0) return std::nullopt;
  report(base::Error(base::Errc::permission, what + " needs root").with_hint("try again with sudo"));
  return kRootNeeded;
}

std::optional<int> need_yes(const ChangeArguments& arguments, const std::string& question) {
  if (arguments.yes) return std::nullopt;
  if (::isatty(STDIN_FILENO) == 0) {
    report(base::Error(base::Errc::invalid, "changing this host needs --yes")
               .with_hint("see what would happen with auditshift plan --diff"));
    return kUsage;
  }
  std::cerr << question << " on " << base::printable(host_name()) << "? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return std::nullopt;
  std::cerr << "nothing was changed\n";
  return kUsage;
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGHUP, SIG_IGN);
}

bool interrupted() { return g_interrupted != 0; }

base::Result<ChangeHost> open_transaction_host() {
  AUDITSHIFT_TRY(on, open_change_host({}, migrate::AgentKind::none));
  const auto status = migrate::change::Transactions(on.host).status();
  if (!status || status->id.empty() || status->plan.agent == migrate::AgentKind::none) return on;
  return open_change_host({}, status->plan.agent);
}

std::string caller_of(const migrate::change::Host& host) {
  std::string text = "uid " + std::to_string(::getuid());
  // Who logged in, whatever was done with su and sudo since (pam_loginuid(8)).
  constexpr const char* kUnset = "4294967295";
  if (const auto login = host.files->read_file("/proc/" + std::to_string(::getpid()) + "/loginuid"))
    if (const auto id = base::trim(*login); !id.empty() && id != kUnset)
      text += ", login uid " + std::string(id);
  if (const auto line = host.files->read_file("/proc/" + std::to_string(::getpid()) + "/cmdline")) {
    std::vector<std::string> words;
    for (const std::string_view word : base::split(*line, '\0'))
      if (!word.empty()) words.push_back(base::to_utf8(word));
    text += ": " + base::join(words, " ");
  }
  return text;
}

migrate::change::TransactionOptions transaction_options(const ChangeHost& on, base::Progress& progress) {
  migrate::change::TransactionOptions options;
  options.caller = caller_of(on.host);
  options.interrupted = interrupted;
  options.progress = &progress;
  options.announcer = on.announcer.get();
  options.verify = [](const migrate::change::Host& host, const migrate::change::Plan& plan) {
    if (migrate::change::is_package_plan(plan)) return migrate::change::verify_packages(host, plan);
    migrate::change::VerifyOptions verify;
    verify.plan = &plan;
    verify.settle = std::chrono::seconds(120);
    // Records made before the rules left may still be on their way.
    verify.since = plan.reboot ? migrate::change::booted_at(*host.clock) : host.clock->now();
    return migrate::change::verify_host(host, verify);
  };
  options.remedy = migrate::change::find_remedy;
  return options;
}

void publish(const ChangeHost& on, const Outcome& outcome, const migrate::change::Status* status) {
  // Where Debian's prometheus-node-exporter looks for text files.
  constexpr const char* kMetrics = "/var/lib/prometheus/node-exporter";
  const std::string metrics = on.host.files->exists(kMetrics) ? kMetrics : "";
  const migrate::change::PublishedResult result{.id = status == nullptr ? "" : status->id,
                                                .outcome = outcome,
                                                .at = on.host.clock->now(),
                                                .next = status == nullptr ? "" : status->next};
  if (const auto told = migrate::change::publish_result(*on.host.files, result, {metrics}); !told)
    spdlog::warn("the result could not be left for others: {}", told.error().message());
}

int exit_code_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::done:
      return kDone;
    case Outcome::Kind::reboot_needed:
      return kRebootNeeded;
    case Outcome::Kind::verification_failed:
      return kVerificationFailed;
    case Outcome::Kind::rolled_back:
      return kRolledBack;
    case Outcome::Kind::rollback_incomplete:
      return kRollbackIncomplete;
    case Outcome::Kind::interrupted:
      return kInterrupted;
  }
  return kFailed;
}

void say_outcome(const Outcome& outcome, const ChangeArguments& arguments,
                 const migrate::change::Status* status, const Context& context) {
  if (arguments.json.wanted()) {
    base::Json json = {{"schema_version", "1.0"},
                       {"outcome", name_of(outcome.kind)},
                       {"state", migrate::change::to_string(outcome.state)},
                       {"exit_code", exit_code_of(outcome)},
                       {"message", base::to_utf8(outcome.message)},
                       {"transaction", status == nullptr ? "" : status->id},
                       {"next", status == nullptr ? "" : status->next}};
    json["verification"] =
        status != nullptr && status->verification ? to_json(*status->verification) : base::Json(nullptr);
    json["comparison"] = status == nullptr ? base::Json(nullptr) : status->comparison;
    say(arguments.json.dump(json));
    return;
  }
  std::string text;
  if (status != nullptr) text += comparison_line(*status);
  if (status != nullptr && status->verification && (!context.quiet || !status->verification->ok()))
    text += render_text(*status->verification);
  text += std::string(migrate::change::to_string(outcome.state)) +
          (outcome.message.empty() ? "" : ": " + base::printable(outcome.message)) + "\n";
  if (status != nullptr && !status->next.empty()) text += "next: " + base::printable(status->next) + "\n";
  say(text);
}

}  // namespace auditshift::cli
