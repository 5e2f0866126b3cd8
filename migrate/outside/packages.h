// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace auditshift::migrate::outside {

/// The host's package manager, without a person at the keyboard.
class Packages {
 public:
  virtual ~Packages() = default;
  /// "apt", "dnf", "yum" or "zypper"; empty when there is none, and all else is Errc::unsupported.
  virtual std::string_view manager() const = 0;
  /// The installed version, as the package manager spells it ("101.24072.0001-1").
  virtual base::Result<std::optional<std::string>> installed(const std::string& package) = 0;
  /// The versions that the configured repositories offer, newest first.
  virtual base::Result<std::vector<std::string>> available(const std::string& package) = 0;
  /// Held back from upgrades (apt-mark hold, versionlock, addlock).
  virtual base::Result<bool> pinned(const std::string& package) = 0;
  virtual base::Result<void> set_pinned(const std::string& package, bool pinned) = 0;
  /// Installs exactly this version, up or down, configuration files of the host kept. REQUIRES: it is among
  /// available(). Errors: busy when the package is pinned, or another process holds the manager's lock for
  /// too long.
  virtual base::Result<void> install(const std::string& package, const std::string& version) = 0;
};

}  // namespace auditshift::migrate::outside
