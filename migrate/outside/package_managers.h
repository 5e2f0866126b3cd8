// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/sysroot.h"
#include "migrate/outside/package_run.h"
#include "migrate/outside/packages.h"

namespace auditshift::migrate::outside {

/// The package manager of this host: by its distribution, since a host may have the programs of several. One
/// without any when it has none.
std::unique_ptr<Packages> detect_packages(const base::Sysroot& files,
                                          const std::shared_ptr<base::ProcessRunner>& processes,
                                          PackageOptions options = {});

/// apt and dpkg. A pin is apt-mark's hold.
class AptPackages final : public Packages {
 public:
  explicit AptPackages(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options = {});
  std::string_view manager() const override { return "apt"; }
  base::Result<std::optional<std::string>> installed(const std::string& package) override;
  base::Result<std::vector<std::string>> available(const std::string& package) override;
  base::Result<bool> pinned(const std::string& package) override;
  base::Result<void> set_pinned(const std::string& package, bool pinned) override;
  base::Result<void> install(const std::string& package, const std::string& version) override;

 private:
  PackageRunner runner_;
};

/// dnf 4 and 5, or yum with the same verbs. A pin is a lock of versionlock, a plugin and in dnf 5 a command;
/// without it asking for one is Errc::unsupported.
class DnfPackages final : public Packages {
 public:
  /// `program` is "dnf" or "yum".
  DnfPackages(std::string program, std::shared_ptr<base::ProcessRunner> processes,
              PackageOptions options = {});
  std::string_view manager() const override { return program_; }
  base::Result<std::optional<std::string>> installed(const std::string& package) override;
  base::Result<std::vector<std::string>> available(const std::string& package) override;
  base::Result<bool> pinned(const std::string& package) override;
  base::Result<void> set_pinned(const std::string& package, bool pinned) override;
  base::Result<void> install(const std::string& package, const std::string& version) override;

 private:
  /// The major version: 3 for yum, 4, 5. Asked of the program once; where it does not tell, by its name.
  unsigned generation();
  base::Error no_versionlock();

  std::string program_;
  std::optional<unsigned> generation_;
  PackageRunner runner_;
};

/// zypper. A pin is a lock of the package (zypper addlock).
class ZypperPackages final : public Packages {
 public:
  explicit ZypperPackages(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options = {});
  std::string_view manager() const override { return "zypper"; }
  base::Result<std::optional<std::string>> installed(const std::string& package) override;
  base::Result<std::vector<std::string>> available(const std::string& package) override;
  base::Result<bool> pinned(const std::string& package) override;
  base::Result<void> set_pinned(const std::string& package, bool pinned) override;
  base::Result<void> install(const std::string& package, const std::string& version) override;

 private:
  PackageRunner runner_;
};

}  // namespace auditshift::migrate::outside
