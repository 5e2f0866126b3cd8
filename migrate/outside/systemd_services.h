// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/outside/services.h"

namespace auditshift::migrate::outside {

/// Where systemd runs the host, this directory is there: sd_booted(3).
inline constexpr const char* kBooted = "/run/systemd/system";

/// systemd, through systemctl: it exists in every version of systemd with the same properties, from 219 (Red
/// Hat 7) on, and finds the manager even where the message bus is down.
class SystemdServices final : public Services {
 public:
  SystemdServices(std::shared_ptr<const base::Sysroot> files, std::shared_ptr<base::ProcessRunner> processes);

  bool running() const override;
  base::Result<UnitState> state(const std::string& unit) override;
  base::Result<void> start(const std::string& unit) override;
  base::Result<void> stop(const std::string& unit) override;
  base::Result<void> restart(const std::string& unit) override;
  base::Result<void> enable(const std::string& unit) override;
  base::Result<void> disable(const std::string& unit) override;
  base::Result<void> reload() override;

 private:
  base::Result<void> require_running() const;
  base::Result<void> control(const std::string& verb, const std::string& unit);

  std::shared_ptr<const base::Sysroot> files_;
  std::shared_ptr<base::ProcessRunner> processes_;
};

/// The state that `systemctl show` describes: lines of Property=Value.
UnitState parse_unit_state(std::string_view text);

}  // namespace auditshift::migrate::outside
