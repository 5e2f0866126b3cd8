// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace auditshift::migrate::outside {

/// A reboot that somebody arranged for later.
struct ScheduledReboot {
  std::string kind;  ///< "reboot", "poweroff", …
  base::WallTime at;
};

/// Somebody asks not to shut the host down now (systemd-inhibit(1)).
struct Inhibitor {
  std::string who;
  std::string why;
  std::string mode;  ///< "block" or "delay"
};

/// Boots of the host.
class Boot {
 public:
  virtual ~Boot() = default;
  /// Changes with every boot of the kernel, and with nothing else (/proc/sys/kernel/random/boot_id,
  /// random(4)).
  virtual base::Result<std::string> boot_id() = 0;
  virtual base::Result<std::optional<ScheduledReboot>> scheduled() = 0;
  /// Those that block a shutdown or reboot.
  virtual base::Result<std::vector<Inhibitor>> inhibitors() = 0;
  /// Replaces a reboot that is scheduled; the users are told `message`.
  virtual base::Result<void> schedule(base::WallTime at, const std::string& message) = 0;
  virtual base::Result<void> cancel() = 0;
};

}  // namespace auditshift::migrate::outside
