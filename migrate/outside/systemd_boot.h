// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/outside/boot.h"

namespace auditshift::migrate::outside {

/// Boots of a host that systemd runs, through logind's scheduled shutdown (org.freedesktop.login1(5)); where
/// logind is too old for that, through shutdown(8).
///
/// Without systemd boot_id() works, and a reboot can be asked for now; a later one is Errc::unsupported,
/// because nothing on such a host would keep it.
class SystemdBoot final : public Boot {
 public:
  SystemdBoot(std::shared_ptr<const base::Sysroot> files, std::shared_ptr<base::ProcessRunner> processes,
              std::shared_ptr<const base::Clock> clock);

  base::Result<std::string> boot_id() override;
  /// From logind, or from the file both logind and its predecessor write.
  base::Result<std::optional<ScheduledReboot>> scheduled() override;
  base::Result<std::vector<Inhibitor>> inhibitors() override;
  /// Errc::busy, with their names, while somebody blocks a shutdown.
  base::Result<void> schedule(base::WallTime at, const std::string& message) override;
  base::Result<void> cancel() override;

 private:
  bool systemd() const;
  base::Result<base::Completed> login_manager(const std::string& method,
                                              const std::vector<std::string>& arguments);
  base::Result<void> schedule_by_shutdown(base::WallTime at, const std::string& message);
  base::Result<std::optional<ScheduledReboot>> scheduled_in_file() const;

  std::shared_ptr<const base::Sysroot> files_;
  std::shared_ptr<base::ProcessRunner> processes_;
  std::shared_ptr<const base::Clock> clock_;
};

/// The answer of logind's ListInhibitors, as busctl prints it: those that concern a shutdown.
base::Result<std::vector<Inhibitor>> parse_inhibitors(std::string_view text);
/// The answer of logind's property ScheduledShutdown, as busctl prints it; nothing when none is scheduled.
base::Result<std::optional<ScheduledReboot>> parse_scheduled_property(std::string_view text);
/// The content of /run/systemd/shutdown/scheduled.
base::Result<std::optional<ScheduledReboot>> parse_scheduled_file(std::string_view text);

}  // namespace auditshift::migrate::outside
