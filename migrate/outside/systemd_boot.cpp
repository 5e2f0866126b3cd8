// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/systemd_boot.h"

#include "base/text.h"
#include "migrate/outside/bus_text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/systemd_services.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
/// Written by logind, and by systemd-shutdownd before version 220.
constexpr const char* kScheduledFile = "/run/systemd/shutdown/scheduled";
constexpr const char* kLogin = "org.freedesktop.login1";
constexpr const char* kLoginPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";

std::string microseconds(base::WallTime at) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
}

std::optional<ScheduledReboot> scheduled_at(const std::string& kind, std::uint64_t microseconds) {
  // No shutdown is scheduled: an empty kind, or the time 0 or "infinity" (all bits set).
  constexpr std::uint64_t kBeyond = std::uint64_t{1} << 62;
  if (kind.empty() || microseconds == 0 || microseconds > kBeyond / 1000) return std::nullopt;
  return ScheduledReboot{kind, base::WallTime(std::chrono::microseconds(microseconds))};
}

/// logind does not know the method (before systemd 220), or cannot be asked at all.
bool unknown_to_logind(const base::Completed& done) {
  return done.errors.find("nknown method") != std::string::npos ||
         done.errors.find("No such method") != std::string::npos ||
         done.errors.find("UnknownMethod") != std::string::npos;
}

}  // namespace

base::Result<std::vector<Inhibitor>> parse_inhibitors(std::string_view text) {
  constexpr std::size_t kMembers = 6;  // what, who, why, mode, uid, pid
  AUDITSHIFT_TRY(reply, parse_bus_reply(text));
  if (reply.signature != "a(ssssuu)" || reply.values.empty() || reply.values.size() % kMembers != 1)
    return base::Error(base::Errc::invalid, "unexpected list of inhibitors: " + base::printable(text));
  std::vector<Inhibitor> inhibitors;
  for (std::size_t at = 1; at + kMembers <= reply.values.size(); at += kMembers) {
    const std::string what = ":" + reply.values[at] + ":";
    if (what.find(":shutdown:") == std::string::npos) continue;
    inhibitors.push_back({reply.values[at + 1], reply.values[at + 2], reply.values[at + 3]});
  }
  return inhibitors;
}

base::Result<std::optional<ScheduledReboot>> parse_scheduled_property(std::string_view text) {
  AUDITSHIFT_TRY(reply, parse_bus_reply(text));
  const auto time = reply.values.size() == 2 ? base::parse_decimal(reply.values[1]) : std::nullopt;
  if (reply.signature != "(st)" || !time)
    return base::Error(base::Errc::invalid, "unexpected scheduled shutdown: " + base::printable(text));
  return scheduled_at(reply.values[0], *time);
}

base::Result<std::optional<ScheduledReboot>> parse_scheduled_file(std::string_view text) {
  std::string kind;
  std::optional<std::uint64_t> time;
  for (const std::string_view line : base::split(text, '\n')) {
    if (line.starts_with("USEC=")) time = base::parse_decimal(line.substr(5));
    if (line.starts_with("MODE=")) kind = line.substr(5);
  }
  if (!time)
    return base::Error(base::Errc::invalid, std::string(kScheduledFile) + ": no time of the shutdown in it");
  return scheduled_at(kind, *time);
}

SystemdBoot::SystemdBoot(std::shared_ptr<const base::Sysroot> files,
                         std::shared_ptr<base::ProcessRunner> processes,
                         std::shared_ptr<const base::Clock> clock)
    : files_(std::move(files)), processes_(std::move(processes)), clock_(std::move(clock)) {}

bool SystemdBoot::systemd() const {
  const auto info = files_->lstat(kBooted);
  return info && info->is_directory();
}

base::Result<std::string> SystemdBoot::boot_id() {
  AUDITSHIFT_TRY(text, files_->read_file(kBootId));
  std::string id(base::trim(text));
  if (id.empty()) return base::Error(base::Errc::invalid, std::string(kBootId) + " is empty");
  return id;
}

base::Result<base::Completed> SystemdBoot::login_manager(const std::string& method,
                                                         const std::vector<std::string>& arguments) {
  base::Command command;
  command.argv = {"busctl", "--system", "call", kLogin, kLoginPath, kManager, method};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return processes_->run(command);
}

base::Result<std::optional<ScheduledReboot>> SystemdBoot::scheduled_in_file() const {
  const auto text = files_->read_file(kScheduledFile);
  if (text) return parse_scheduled_file(*text);
  if (text.error().code() == base::Errc::not_found) return std::optional<ScheduledReboot>();
  return base::Error(text.error()).context("scheduled shutdown");
}

base::Result<std::optional<ScheduledReboot>> SystemdBoot::scheduled() {
  if (!systemd()) return std::optional<ScheduledReboot>();  // nothing there could keep one for later
  base::Command command;
  command.argv = {"busctl", "--system", "get-property", kLogin, kLoginPath, kManager, "ScheduledShutdown"};
  const auto done = processes_->run(command);
  if (done && done->success()) return parse_scheduled_property(done->output);
  return scheduled_in_file();
}

base::Result<std::vector<Inhibitor>> SystemdBoot::inhibitors() {
  if (!systemd()) return std::vector<Inhibitor>();
  AUDITSHIFT_TRY(done, login_manager("ListInhibitors", {}).context("list of shutdown inhibitors"));
  if (!done.success()) return failure_of(done, "list of shutdown inhibitors");
  return parse_inhibitors(done.output);
}

base::Result<void> SystemdBoot::schedule(base::WallTime at, const std::string& message) {
  if (!systemd()) return schedule_by_shutdown(at, message);
  AUDITSHIFT_TRY(holding, inhibitors());
  for (const Inhibitor& inhibitor : holding) {
    if (inhibitor.mode != "block") continue;
    return base::Error(base::Errc::busy, "a reboot is blocked by " + base::printable(inhibitor.who) + ": " +
                                             base::printable(inhibitor.why))
        .with_hint("see systemd-inhibit --list; try again when it is done");
  }
  AUDITSHIFT_TRY(told, login_manager("SetWallMessage", {"sb", message, "true"}).context("wall message"));
  if (!told.success() && !unknown_to_logind(told)) return failure_of(told, "wall message of the reboot");
  AUDITSHIFT_TRY(done, login_manager("ScheduleShutdown", {"st", "reboot", microseconds(at)})
                           .context("cannot schedule the reboot"));
  if (done.success()) return {};
  if (unknown_to_logind(done)) return schedule_by_shutdown(at, message);
  return failure_of(done, "cannot schedule the reboot");
}

base::Result<void> SystemdBoot::schedule_by_shutdown(base::WallTime at, const std::string& message) {
  const auto wait = at - clock_->now();
  const bool now = wait <= 1min;
  if (!now && !systemd())
    return base::Error(base::Errc::unsupported,
                       "a reboot at a later time needs systemd, which does not run this host")
        .with_hint("use --reboot never and reboot it by other means, or --reboot now");
  const std::string when =
      now ? "now" : "+" + std::to_string(std::chrono::ceil<std::chrono::minutes>(wait).count());
  base::Command command;
  command.argv = {"shutdown", "-r", when, message};
  AUDITSHIFT_TRY(done, processes_->run(command).context("cannot schedule the reboot"));
  if (!done.success()) return failure_of(done, "cannot schedule the reboot: shutdown -r " + when);
  return {};
}

base::Result<void> SystemdBoot::cancel() {
  if (!systemd()) return {};  // none can be scheduled
  AUDITSHIFT_TRY(done, login_manager("CancelScheduledShutdown", {}).context("cannot cancel the reboot"));
  if (done.success()) return {};
  if (!unknown_to_logind(done)) return failure_of(done, "cannot cancel the reboot");
  base::Command command;
  command.argv = {"shutdown", "-c"};
  AUDITSHIFT_TRY(cancelled, processes_->run(command).context("cannot cancel the reboot"));
  if (!cancelled.success()) return failure_of(cancelled, "cannot cancel the reboot");
  return {};
}

}  // namespace auditshift::migrate::outside
