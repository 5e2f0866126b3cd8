// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "migrate/facts.h"

namespace auditshift::migrate::outside {

/// What the service manager says about one unit.
struct UnitState {
  bool loaded = false;  ///< there is such a unit
  bool active = false;
  bool failed = false;
  Enabled enabled = Enabled::unknown;
  std::string description;  ///< ActiveState (SubState), for messages
};

/// The host's service manager.
class Services {
 public:
  virtual ~Services() = default;
  /// systemd runs this host (sd_booted(3)). All else is Errc::unsupported without it.
  virtual bool running() const = 0;
  /// A unit that does not exist is no error: loaded is false.
  virtual base::Result<UnitState> state(const std::string& unit) = 0;
  virtual base::Result<void> start(const std::string& unit) = 0;
  virtual base::Result<void> stop(const std::string& unit) = 0;
  virtual base::Result<void> restart(const std::string& unit) = 0;
  virtual base::Result<void> enable(const std::string& unit) = 0;
  virtual base::Result<void> disable(const std::string& unit) = 0;
  /// Reads unit files again (daemon-reload).
  virtual base::Result<void> reload() = 0;
};

}  // namespace auditshift::migrate::outside
