// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text.h"
#include "cli/change_run.h"
#include "cli/verbs.h"
#include "migrate/change/status_metrics.h"

namespace auditshift::cli {
namespace {

using migrate::change::State;
using migrate::change::Status;

/// The state directory is root's; that of a mounted disk belongs to whom it may.
std::optional<int> need_root_here(const RootOption& root, const std::string& what) {
  return root.directory.empty() ? need_root(what) : std::nullopt;
}

struct StatusOptions {
  RootOption root;
  JsonOption json;
  std::string format = "text";
  std::string output;
};

base::Result<int> status(const StatusOptions& options) {
  if (const auto code = need_root_here(options.root, "reading the state of a switch")) return *code;
  AUDITSHIFT_TRY(on, open_change_host(options.root.directory, migrate::AgentKind::none));
  AUDITSHIFT_TRY(now, migrate::change::Transactions(on.host).status());
  std::optional<migrate::outside::ScheduledReboot> scheduled;
  if (on.host.boot)
    if (const auto reboot = on.host.boot->scheduled()) scheduled = *reboot;
  std::string text;
  if (options.json.wanted() || options.format == "json") {
    base::Json document = {{"schema_version", "1.0"}};
    document.update(to_json(now, scheduled));
    text = options.json.dump(document);
  } else {
    text = options.format == "prom" ? status_metrics(now, scheduled) : render_text(now, scheduled);
  }
  AUDITSHIFT_TRY_VOID(write_result(options.output, text));
  return static_cast<int>(now.state == State::awaiting_reboot ? kRebootNeeded : kDone);
}

base::Result<int> history(const RootOption& root, const JsonOption& json) {
  if (const auto code = need_root_here(root, "reading the history of switches")) return *code;
  AUDITSHIFT_TRY(on, open_change_host(root.directory, migrate::AgentKind::none));
  AUDITSHIFT_TRY(all, migrate::change::Transactions(on.host).history());
  std::string text;
  base::Json list = base::Json::array();
  for (const Status& each : all) {
    list.push_back(to_json(each, std::nullopt));
    text += each.id + "  " + base::format_utc(each.started) + "  " +
            std::string(migrate::change::to_string(each.state)) + "  " + base::printable(each.caller) +
            (each.message.empty() ? "" : "  " + base::printable(each.message)) + "\n";
  }
  if (all.empty()) text = "no transaction yet\n";
  if (json.wanted()) text = json.dump({{"schema_version", "1.0"}, {"transactions", list}});
  AUDITSHIFT_TRY_VOID(write_result("", text));
  return static_cast<int>(kDone);
}

}  // namespace

void add_status(CLI::App& app, const Context&, Run& run) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* verb = app.add_subcommand(
      "status",
      "How far the switch of this host is: state, transaction, pending reboot, what is next.\n\n"
      "  auditshift status --json\n"
      "  auditshift status --root /mnt/disk-of-a-host-that-does-not-boot\n"
      "  auditshift status --format prom -o /var/lib/prometheus/node-exporter/auditshift_status.prom\n\n"
      "Exit: 0, or 3 while a reboot is waited for.");
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  verb->add_option("--format", options->format, "text, json or prom (a textfile for node_exporter)")
      ->check(CLI::IsMember({"text", "json", "prom"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = status(*options);
      return code ? *code : report(code.error());
    };
  });
}

void add_history(CLI::App& app, const Context&, Run& run) {
  struct Options {
    RootOption root;
    JsonOption json;
  };
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("history",
                                      "Past switches of this host: who, what, when, result.\n\n"
                                      "  auditshift history\n"
                                      "  auditshift history --json");
  options->root.add_to(*verb);
  options->json.add_to(*verb);
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = history(options->root, options->json);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace auditshift::cli
