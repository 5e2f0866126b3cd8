// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "migrate/build_version.h"
#include "migrate/change/plan.h"
#include "migrate/change/step.h"
#include "migrate/change/transaction.h"
#include "migrate/outside/packages.h"

namespace auditshift::migrate::change {

/// Defender's package, by the same name for every manager.
inline constexpr const char* kAgentPackage = "mdatp";

/// What the package manager says of the agent's package.
struct PackageFacts {
  std::string package = kAgentPackage;
  std::string manager;                 ///< "apt", "dnf", …
  std::string installed;               ///< as the manager spells it
  std::vector<std::string> available;  ///< newest first
  std::optional<bool> pinned;          ///< absent: this manager cannot pin here
};

/// Asks the manager. Errors: not_found when the package is not installed; those of the manager.
base::Result<PackageFacts> collect_package_facts(outside::Packages& packages, const std::string& package);

/// When a build stops working: nine months after its release.
struct BuildExpiry {
  std::chrono::sys_days day;
  bool estimated = false;  ///< the release day is not known; this is the earliest it can be
};
/// Nothing for versions from before the scheme that tells year and month (mid 2023).
std::optional<BuildExpiry> expiry_of(const BuildVersion& build);

/// What stands in the way of a change of build.
struct PackageObstacle {
  std::string id;  ///< never renamed; consent names it
  std::string text;
  bool overridable = false;  ///< by consent; else it cannot be done
};

struct PackagePlan {
  std::string version;                     ///< that will be installed, as the manager spells it
  std::vector<StepSpec> steps;             ///< empty: nothing to do, or an obstacle
  std::vector<PackageObstacle> obstacles;  ///< none that was consented to
  std::vector<std::string> warnings;
};

/// The ids of the obstacles.
inline constexpr const char* kBuildNotAvailable = "PKG001";
inline constexpr const char* kBuildExpired = "PKG002";
inline constexpr const char* kBuildExpiryUnknown = "PKG003";

/// How this build is installed and kept: is it on offer, has it expired by `today`, which steps. Consent to
/// an expired build is given by its id, never assumed.
PackagePlan plan_package_rollback(const BuildVersion& build, const PackageFacts& facts,
                                  const std::optional<BuildExpiry>& expiry, std::chrono::sys_days today,
                                  const std::vector<std::string>& consent);

/// The transaction that carries such a change out, apart from tool version and machine.
Plan package_plan(const PackagePlan& packages, base::WallTime now);
/// Whether a transaction is one of package_plan's.
bool is_package_plan(const Plan& plan);
/// Asks the package manager whether each step of such a plan stands.
base::Result<Verification> verify_packages(const Host& host, const Plan& plan);

/// The way back up: no pin, and the newest build on offer. With none on offer an obstacle, and what is there
/// stays, pin and all.
PackagePlan plan_package_forward(const PackageFacts& facts);

/// Whether a rollback of this tool is what holds the agent's package at the build of now. Somebody else's pin
/// is none of ours. `history` as of Transactions::history().
bool held_by_rollback(const std::vector<Status>& history, const PackageFacts& facts);

}  // namespace auditshift::migrate::change
