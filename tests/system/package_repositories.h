// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "base/process.h"
#include "migrate/outside/package_managers.h"

namespace auditshift::tests {

/// A configuration file of the packages, for what a manager makes of changed ones.
inline constexpr const char* kConfig = "/etc/opt/microsoft/mdatp/wdavcfg";
/// What the stand-in of the agent (tests/standins/mdatp) is, as the packages bring it: of their build, and
/// without a hand on the kernel's rules.
inline constexpr const char* kStandInState = "/var/opt/microsoft/mdatp/standin/state";

/// Runs a program that has to succeed.
base::Completed run(const std::vector<std::string>& argv);
void write(const std::string& path, const std::string& text);
std::string read(const std::string& path);

/// What one manager needs to be tested, and calls its versions.
struct Manager {
  std::string name;
  std::string program;
  std::string os_release;
  std::string suffix;  ///< behind a build's number
  void (*make_repository)();
  /// Holds the manager's lock until the descriptor is closed.
  int (*lock)();
};
inline void PrintTo(const Manager& manager, std::ostream* out) { *out << manager.name; }

/// apt, dnf, yum and zypper.
std::vector<Manager> package_managers();

/// This jail becomes a host of that manager, with a repository of packages named mdatp that is made here.
/// REQUIRES: in a jail (jail.h).
void make_host_of(const Manager& manager);

/// Neither the package nor a pin nor the manager's own state of them is left, for the next manager's test.
void remove_package(const Manager& manager, migrate::outside::Packages& packages);

}  // namespace auditshift::tests
