// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/package_common.h"

#include <algorithm>

#include "base/text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/package_versions.h"

namespace auditshift::migrate::outside {

base::Result<std::optional<std::string>> installed_rpm(PackageRunner& runner, const std::string& package) {
  AUDITSHIFT_TRY(done, runner.ask({"rpm", "--query", "--queryformat",
                                   "%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n", package}));
  if (done.success()) {
    std::optional<std::string> version;  // of several, the one installed last
    for (const std::string_view line : base::split(done.output, '\n'))
      if (!base::trim(line).empty()) version = base::trim(line);
    return version;
  }
  if (done.output.find("is not installed") != std::string::npos) return std::optional<std::string>();
  return failure_of(done, "rpm --query " + package);
}

void newest_first(std::vector<std::string>& versions) {
  std::stable_sort(versions.begin(), versions.end(), [](const std::string& left, const std::string& right) {
    return compare_rpm(left, right) > 0;
  });
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
}

base::Result<bool> ready_to_install(Packages& packages, const std::string& package,
                                    const std::string& version) {
  AUDITSHIFT_TRY(now, packages.installed(package));
  if (now == version) return true;
  const auto pinned = packages.pinned(package);
  if (!pinned && pinned.error().code() != base::Errc::unsupported) return pinned.error();
  if (pinned && *pinned)
    return base::Error(base::Errc::busy, package + " is pinned to " + now.value_or("no version") +
                                             ": version " + version + " cannot be installed")
        .with_hint("take the pin away first");
  return false;
}

base::Result<void> check_installed(Packages& packages, const std::string& package,
                                   const std::string& version) {
  AUDITSHIFT_TRY(now, packages.installed(package));
  if (now == version) return {};
  return base::Error(base::Errc::io, std::string(packages.manager()) + " reported success, but of " +
                                         package + " there is " + now.value_or("no version") +
                                         " installed, not " + version);
}

}  // namespace auditshift::migrate::outside
