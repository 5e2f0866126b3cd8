// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/package_common.h"
#include "migrate/outside/package_managers.h"

namespace auditshift::migrate::outside {
namespace {

/// apt and dpkg have said it in these words since apt 0.8; a lock has no exit status of its own.
bool apt_is_locked(const base::Completed& done) {
  return !done.success() &&
         (done.errors.find("Could not get lock") != std::string::npos ||
          done.errors.find("Unable to lock") != std::string::npos ||
          done.errors.find("Unable to acquire the dpkg frontend lock") != std::string::npos ||
          done.errors.find("dpkg frontend lock was locked") != std::string::npos);
}

}  // namespace

AptPackages::AptPackages(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options)
    : runner_(std::move(processes), options, apt_is_locked) {}

base::Result<std::optional<std::string>> AptPackages::installed(const std::string& package) {
  AUDITSHIFT_TRY(
      done, runner_.ask({"dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}\\n", package}));
  if (!done.success()) {
    if (done.errors.find("no packages found") != std::string::npos) return std::optional<std::string>();
    return failure_of(done, "dpkg-query --show " + package);
  }
  const std::string_view line = base::trim(done.output);
  constexpr std::string_view kInstalled = "installed ";
  if (!line.starts_with(kInstalled)) return std::optional<std::string>();
  return std::optional<std::string>(line.substr(kInstalled.size()));
}

base::Result<std::vector<std::string>> AptPackages::available(const std::string& package) {
  // Lines of "name | version | origin", newest first; what only dpkg knows is not among them.
  AUDITSHIFT_TRY(done, runner_.ask({"apt-cache", "madison", package}));
  if (!done.success()) return failure_of(done, "apt-cache madison " + package);
  std::vector<std::string> versions;
  for (const std::string_view line : base::split(done.output, '\n')) {
    const auto columns = base::split(line, '|');
    if (columns.size() != 3 || base::trim(columns[2]).ends_with(" Sources")) continue;
    std::string version(base::trim(columns[1]));
    if (std::find(versions.begin(), versions.end(), version) == versions.end())
      versions.push_back(std::move(version));
  }
  return versions;
}

base::Result<bool> AptPackages::pinned(const std::string& package) {
  AUDITSHIFT_TRY(done, runner_.ask({"apt-mark", "showhold", package}));
  if (!done.success()) return failure_of(done, "apt-mark showhold " + package);
  for (const std::string_view line : base::split(done.output, '\n')) {
    const std::string_view name = base::trim(line);
    if (name == package || name.starts_with(package + ":")) return true;
  }
  return false;
}

base::Result<void> AptPackages::set_pinned(const std::string& package, bool pinned) {
  return runner_.change({"apt-mark", pinned ? "hold" : "unhold", package},
                        std::string(pinned ? "cannot hold " : "cannot release ") + package);
}

base::Result<void> AptPackages::install(const std::string& package, const std::string& version) {
  AUDITSHIFT_TRY(done, ready_to_install(*this, package, version));
  if (done) return {};
  // What a crash or power cut left half done is completed first.
  AUDITSHIFT_TRY_VOID(
      runner_.change({"dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"},
                     "dpkg cannot complete an earlier installation"));
  // --no-remove: another package that is in the way is a question for a person.
  AUDITSHIFT_TRY_VOID(runner_.change({"apt-get", "install", "--yes", "--quiet=2", "--allow-downgrades",
                                      "--no-remove", "--option", "Dpkg::Options::=--force-confdef",
                                      "--option", "Dpkg::Options::=--force-confold", package + "=" + version},
                                     "apt-get cannot install " + package + "=" + version));
  return check_installed(*this, package, version);
}

}  // namespace auditshift::migrate::outside
