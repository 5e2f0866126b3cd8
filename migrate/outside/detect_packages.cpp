// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "migrate/outside/package_managers.h"

namespace auditshift::migrate::outside {
namespace {

base::Error no_manager() {
  return base::Error(base::Errc::unsupported,
                     "this host has none of the package managers apt, dnf, yum, zypper");
}

class NoPackages final : public Packages {
 public:
  std::string_view manager() const override { return ""; }
  base::Result<std::optional<std::string>> installed(const std::string&) override { return no_manager(); }
  base::Result<std::vector<std::string>> available(const std::string&) override { return no_manager(); }
  base::Result<bool> pinned(const std::string&) override { return no_manager(); }
  base::Result<void> set_pinned(const std::string&, bool) override { return no_manager(); }
  base::Result<void> install(const std::string&, const std::string&) override { return no_manager(); }
};

/// The words of ID= and ID_LIKE= of os-release(5).
std::string family(const base::Sysroot& files) {
  std::string words = " ";
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const auto text = files.read_file(path, std::size_t{1} << 20);
    if (!text) continue;
    for (const std::string_view line : base::split(*text, '\n')) {
      const std::size_t equals = line.find('=');
      if (!line.starts_with("ID=") && !line.starts_with("ID_LIKE=")) continue;
      for (const char c : line.substr(equals + 1)) words += c == '"' || c == '\'' ? ' ' : c;
      words += ' ';
    }
    break;
  }
  return words;
}

}  // namespace

std::unique_ptr<Packages> detect_packages(const base::Sysroot& files,
                                          const std::shared_ptr<base::ProcessRunner>& processes,
                                          PackageOptions options) {
  const std::string words = family(files);
  const auto like = [&](std::string_view word) { return words.find(word) != std::string::npos; };
  const bool apt = files.exists("/usr/bin/apt-get") && files.exists("/var/lib/dpkg/status");
  const bool zypper = files.exists("/usr/bin/zypper");
  const bool dnf = files.exists("/usr/bin/dnf");
  const bool yum = files.exists("/usr/bin/yum");
  if (apt && (like(" debian ") || like(" ubuntu "))) return std::make_unique<AptPackages>(processes, options);
  if (zypper && (like("suse") || like(" sles"))) return std::make_unique<ZypperPackages>(processes, options);
  if (dnf) return std::make_unique<DnfPackages>("dnf", processes, options);
  if (yum) return std::make_unique<DnfPackages>("yum", processes, options);
  if (zypper) return std::make_unique<ZypperPackages>(processes, options);
  if (apt) return std::make_unique<AptPackages>(processes, options);
  return std::make_unique<NoPackages>();
}

}  // namespace auditshift::migrate::outside
