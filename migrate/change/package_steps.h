// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "migrate/change/step.h"

namespace auditshift::migrate::change {

// Steps on a package of the host, through its package manager. They know only packages that are installed.

/// "package-version": installs exactly this version, up or down; undo installs the one there was before.
StepSpec package_version(std::string id, const std::string& package, const std::string& version);

/// "package-pin": holds the package back from upgrades, or lets it go; undo restores what was.
StepSpec package_pin(std::string id, const std::string& package, bool pinned);

}  // namespace auditshift::migrate::change
