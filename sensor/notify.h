// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace auditshift::sensor {

/// Tells the service manager how things stand (sd_notify(3)): one datagram of "NAME=value" lines to the
/// socket in NOTIFY_SOCKET. Without a service manager nothing happens.
class ServiceNotifier {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from the environment.
  static ServiceNotifier from_environment();

  ServiceNotifier() = default;

  /// "READY=1", "STATUS=…", "WATCHDOG=1", "STOPPING=1"; several lines are separated by '\n'. A manager that
  /// cannot be reached is not waited for.
  void send(std::string_view lines) const;

  /// How often the service manager wants a sign of life; half of its limit, as sd_watchdog_enabled(3)
  /// advises.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }

 private:
  std::string address_;  ///< path, or abstract name with a leading NUL
  base::Fd socket_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace auditshift::sensor
