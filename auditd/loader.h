// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "auditd/layout.h"

namespace auditshift::auditd {

/// What loads the rules at boot, and the line that says so.
struct LoaderFinding {
  Loader loader = Loader::none;
  std::string evidence;
  Origin origin;
  std::string rules_file;  ///< what `auditctl -R` is given; empty for augenrules
};

/// Asks the host's systemd units, with their drop-ins; where there is none for auditd, its System V script.
LoaderFinding find_loader(const base::Sysroot& host);

}  // namespace auditshift::auditd
