// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "migrate/outside/package_run.h"
#include "migrate/outside/packages.h"

namespace auditshift::migrate::outside {

/// What rpm's own database says is installed: "version-release", "epoch:" in front where there is one.
base::Result<std::optional<std::string>> installed_rpm(PackageRunner& runner, const std::string& package);

/// Sorts newest first, as rpm orders versions, and drops repetitions.
void newest_first(std::vector<std::string>& versions);

/// What every install() begins with: nothing to do (true), or Errc::busy when a pin is in the way.
base::Result<bool> ready_to_install(Packages& packages, const std::string& package,
                                    const std::string& version);
/// What every install() ends with: an error unless that version is installed.
base::Result<void> check_installed(Packages& packages, const std::string& package,
                                   const std::string& version);

}  // namespace auditshift::migrate::outside
