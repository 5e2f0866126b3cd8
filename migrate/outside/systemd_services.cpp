// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/systemd_services.h"

#include <map>

#include "base/text.h"
#include "migrate/outside/command_text.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;

/// systemd gives a unit 90 seconds to start or stop (DefaultTimeoutStartSec=), then ends it itself.
constexpr std::chrono::milliseconds kJobLimit = 180s;

/// From UnitFileState= (systemctl(1), is-enabled). What is pulled in by another unit starts at boot too.
Enabled enabled_from(const std::string& state, bool wanted) {
  if (state == "masked" || state == "masked-runtime") return Enabled::masked;
  if (state == "enabled" || state == "alias") return Enabled::yes;
  if (state == "static" || state == "indirect" || state == "generated")
    return wanted ? Enabled::yes : Enabled::no;
  if (state == "disabled" || state == "enabled-runtime" || state == "linked" || state == "linked-runtime" ||
      state == "transient")
    return Enabled::no;
  return Enabled::unknown;
}

}  // namespace

UnitState parse_unit_state(std::string_view text) {
  std::map<std::string, std::string, std::less<>> properties;
  for (const std::string_view line : base::split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      properties.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  }
  UnitState state;
  const std::string& load = properties["LoadState"];
  const std::string& active = properties["ActiveState"];
  state.loaded = !load.empty() && load != "not-found";
  state.active = active == "active" || active == "reloading";
  state.failed = active == "failed";
  state.enabled = !state.loaded
                      ? Enabled::absent
                      : enabled_from(load == "masked" ? "masked" : properties["UnitFileState"],
                                     !properties["WantedBy"].empty() || !properties["RequiredBy"].empty());
  state.description = state.loaded ? active + " (" + properties["SubState"] + ")" : "no such unit";
  if (load == "error" || load == "bad-setting") state.description += ", its unit file is broken";
  return state;
}

SystemdServices::SystemdServices(std::shared_ptr<const base::Sysroot> files,
                                 std::shared_ptr<base::ProcessRunner> processes)
    : files_(std::move(files)), processes_(std::move(processes)) {}

bool SystemdServices::running() const {
  const auto info = files_->lstat(kBooted);
  return info && info->is_directory();
}

base::Result<void> SystemdServices::require_running() const {
  if (running()) return {};
  return base::Error(base::Errc::unsupported,
                     std::string("systemd does not run this host (") + kBooted + " is not there)")
      .with_hint("start, stop and enable services with the tools of the init system that does");
}

base::Result<UnitState> SystemdServices::state(const std::string& unit) {
  AUDITSHIFT_TRY_VOID(require_running());
  base::Command command;
  command.argv = {"systemctl", "show"};
  for (const char* property :
       {"LoadState", "ActiveState", "SubState", "UnitFileState", "WantedBy", "RequiredBy"})
    command.argv.push_back(std::string("--property=") + property);
  command.argv.insert(command.argv.end(), {"--", unit});
  AUDITSHIFT_TRY(done, processes_->run(command).context("state of " + unit));
  if (!done.success()) return failure_of(done, "state of " + unit);
  return parse_unit_state(done.output);
}

base::Result<void> SystemdServices::control(const std::string& verb, const std::string& unit) {
  AUDITSHIFT_TRY_VOID(require_running());
  base::Command command;
  command.argv = {"systemctl", "--no-ask-password", verb, "--", unit};
  command.timeout = kJobLimit;
  const std::string what = "cannot " + verb + " " + unit;
  AUDITSHIFT_TRY(done, processes_->run(command).context(what));
  if (done.success()) return {};
  if (const auto now = state(unit); now && !now->loaded)
    return base::Error(base::Errc::not_found, what + ": there is no such unit");
  return failure_of(done, what).with_hint("see: systemctl status " + unit + "; journalctl -u " + unit);
}

base::Result<void> SystemdServices::start(const std::string& unit) { return control("start", unit); }
base::Result<void> SystemdServices::stop(const std::string& unit) { return control("stop", unit); }
base::Result<void> SystemdServices::restart(const std::string& unit) { return control("restart", unit); }
base::Result<void> SystemdServices::enable(const std::string& unit) { return control("enable", unit); }
base::Result<void> SystemdServices::disable(const std::string& unit) { return control("disable", unit); }

base::Result<void> SystemdServices::reload() {
  AUDITSHIFT_TRY_VOID(require_running());
  base::Command command;
  command.argv = {"systemctl", "--no-ask-password", "daemon-reload"};
  command.timeout = kJobLimit;
  AUDITSHIFT_TRY(done, processes_->run(command).context("systemctl daemon-reload"));
  if (!done.success()) return failure_of(done, "systemctl daemon-reload");
  return {};
}

}  // namespace auditshift::migrate::outside
