// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/package_common.h"
#include "migrate/outside/package_managers.h"

namespace auditshift::migrate::outside {
namespace {

// zypper(8), exit codes; from 100 on they tell something about a run that was carried out.
constexpr int kLocked = 7;
constexpr int kRebootNeeded = 102;
constexpr int kRestartNeeded = 103;  // of zypper itself
constexpr int kNothingFound = 104;
constexpr int kRepositoriesSkipped = 106;  // one failed to refresh, and the others were asked

bool zypper_is_locked(const base::Completed& done) { return done.signal == 0 && done.exit_code == kLocked; }

/// A query that was answered, if only by the repositories that could be read.
bool answered(const base::Completed& done) {
  return done.success() || (done.signal == 0 && done.exit_code == kRepositoriesSkipped);
}

/// The value of an attribute of one XML element; versions and package names hold nothing that XML escapes.
std::string attribute(std::string_view element, std::string_view name) {
  const std::string opening = " " + std::string(name) + "=\"";
  const std::size_t at = element.find(opening);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + opening.size();
  return std::string(element.substr(begin, element.find('"', begin) - begin));
}

}  // namespace

ZypperPackages::ZypperPackages(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options)
    : runner_(std::move(processes), options, zypper_is_locked) {}

base::Result<std::optional<std::string>> ZypperPackages::installed(const std::string& package) {
  return installed_rpm(runner_, package);
}

base::Result<std::vector<std::string>> ZypperPackages::available(const std::string& package) {
  AUDITSHIFT_TRY(done, runner_.ask({"zypper", "--non-interactive", "--xmlout", "search", "--details",
                                    "--match-exact", "--type", "package", package}));
  if (!answered(done) && done.exit_code != kNothingFound) return failure_of(done, "zypper search " + package);
  std::vector<std::string> versions;
  for (const std::string_view line : base::split(done.output, '\n')) {
    if (!base::trim(line).starts_with("<solvable ") || attribute(line, "name") != package) continue;
    if (attribute(line, "repository") == "(System Packages)") continue;  // installed, and offered by none
    versions.push_back(attribute(line, "edition"));
  }
  newest_first(versions);
  return versions;
}

base::Result<bool> ZypperPackages::pinned(const std::string& package) {
  AUDITSHIFT_TRY(done, runner_.ask({"zypper", "--non-interactive", "--xmlout", "locks"}));
  if (!answered(done)) return failure_of(done, "zypper locks");
  return done.output.find("<name>" + package + "</name>") != std::string::npos;
}

base::Result<void> ZypperPackages::set_pinned(const std::string& package, bool pinned) {
  return runner_.change({"zypper", "--non-interactive", pinned ? "addlock" : "removelock", package},
                        std::string("zypper cannot ") + (pinned ? "lock " : "release ") + package);
}

base::Result<void> ZypperPackages::install(const std::string& package, const std::string& version) {
  AUDITSHIFT_TRY(done, ready_to_install(*this, package, version));
  if (done) return {};
  AUDITSHIFT_TRY_VOID(runner_.change({"zypper", "--non-interactive", "install", "--oldpackage",
                                      "--auto-agree-with-licenses", package + "=" + version},
                                     "zypper cannot install " + package + "=" + version,
                                     {kRebootNeeded, kRestartNeeded, kRepositoriesSkipped}));
  return check_installed(*this, package, version);
}

}  // namespace auditshift::migrate::outside
