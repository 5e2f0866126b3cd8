// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "migrate/outside/command_text.h"
#include "migrate/outside/package_common.h"
#include "migrate/outside/package_managers.h"
#include "migrate/outside/package_versions.h"

namespace auditshift::migrate::outside {
namespace {

/// Major versions that differ in commands and options: RHEL 7, RHEL 8 on, Fedora 41 on.
constexpr unsigned kYum = 3, kDnf = 4, kDnf5 = 5;

constexpr int kLockedStatus = 200;  // dnf(8) and yum(8), with exit_on_lock

bool dnf_is_locked(const base::Completed& done) {
  return done.signal == 0 && done.exit_code == kLockedStatus;
}

/// The major version in the first line of --version: "3.4.3" (yum), "4.14.0" (dnf), "dnf5 version 5.2.13.1".
std::optional<unsigned> major_version(std::string_view said) {
  said = base::trim(said.substr(0, said.find('\n')));
  if (const std::size_t space = said.rfind(' '); space != std::string_view::npos)
    said.remove_prefix(space + 1);
  const auto number = base::parse_decimal(said.substr(0, said.find('.')));
  if (!number || *number > 99) return std::nullopt;
  return static_cast<unsigned>(*number);
}

/// An entry of the plugin's list locks this package: "mdatp-0:101.24072.0001-1.*" (dnf),
/// "0:mdatp-101.24072.0001-1.*" (yum), "Package name: mdatp" (dnf 5).
bool locks(std::string_view entry, const std::string& package) {
  if (entry == "Package name: " + package) return true;
  if (const std::size_t colon = entry.find(':');
      colon != std::string_view::npos && base::parse_decimal(entry.substr(0, colon)))
    entry.remove_prefix(colon + 1);
  // A dash and a digit end the name; "mdatp-tools-1.0" is another package.
  return entry.size() > package.size() + 1 && entry.starts_with(package) && entry[package.size()] == '-' &&
         entry[package.size() + 1] >= '0' && entry[package.size() + 1] <= '9';
}

/// `list available` wraps long lines at 80 columns, so it is read by words: name.arch, version, repository.
std::vector<std::string> versions_in_list(std::string_view text, const std::string& package) {
  std::vector<std::string_view> words;
  for (const std::string_view line : base::split(text, '\n'))
    for (const std::string_view word : base::split(line, ' '))
      if (!base::trim(word).empty()) words.push_back(base::trim(word));
  std::vector<std::string> versions;
  for (std::size_t at = 0; at + 1 < words.size(); ++at)
    if (words[at].starts_with(package + ".") && words[at].find('/') == std::string_view::npos &&
        words[at].find('.', package.size() + 1) == std::string_view::npos)
      versions.emplace_back(words[at + 1]);
  return versions;
}

}  // namespace

DnfPackages::DnfPackages(std::string program, std::shared_ptr<base::ProcessRunner> processes,
                         PackageOptions options)
    : program_(std::move(program)), runner_(std::move(processes), options, dnf_is_locked) {}

unsigned DnfPackages::generation() {
  if (generation_) return *generation_;
  const auto done = runner_.ask({program_, "--version"});
  const auto told = done && done->success() ? major_version(done->output) : std::nullopt;
  generation_ = told.value_or(program_ == "yum" ? kYum : kDnf);
  return *generation_;
}

base::Error DnfPackages::no_versionlock() {
  if (generation() >= kDnf5)  // it is a command of its own, from 5.1.13 on
    return base::Error(base::Errc::unsupported,
                       program_ + " has no command versionlock: it cannot keep a package at a version")
        .with_hint("dnf upgrade dnf5");
  return base::Error(base::Errc::unsupported,
                     program_ + " has no versionlock plugin: it cannot keep a package at a version")
      .with_hint(program_ == "yum" ? "yum install yum-plugin-versionlock"
                                   : "dnf install python3-dnf-plugin-versionlock");
}

base::Result<std::optional<std::string>> DnfPackages::installed(const std::string& package) {
  return installed_rpm(runner_, package);
}

base::Result<std::vector<std::string>> DnfPackages::available(const std::string& package) {
  std::vector<std::string> argv = {program_, "--quiet", "--assumeyes", "--setopt=exit_on_lock=1"};
  // yum-versionlock.conf(5): its plugin hides every version but the locked one, here as well.
  if (generation() <= kYum) argv.emplace_back("--disableplugin=versionlock");
  const std::vector<std::string> list =
      generation() >= kDnf5 ? std::vector<std::string>{"list", "--available", "--showduplicates", package}
                            : std::vector<std::string>{"--showduplicates", "list", "available", package};
  argv.insert(argv.end(), list.begin(), list.end());
  AUDITSHIFT_TRY(done, runner_.ask(argv));
  std::vector<std::string> versions = versions_in_list(done.output, package);
  if (!done.success() && versions.empty() &&
      done.errors.find("No matching Packages to list") == std::string::npos &&
      done.errors.find("No matching packages to list") == std::string::npos)
    return failure_of(done, program_ + " list available " + package);
  newest_first(versions);
  return versions;
}

base::Result<bool> DnfPackages::pinned(const std::string& package) {
  AUDITSHIFT_TRY(done, runner_.ask({program_, "--quiet", "--setopt=exit_on_lock=1", "versionlock", "list"}));
  const std::string said = done.errors + done.output;
  if (said.find("o such command") != std::string::npos || said.find("nknown argument") != std::string::npos)
    return no_versionlock();
  if (!done.success()) return failure_of(done, program_ + " versionlock list");
  for (const std::string_view line : base::split(done.output, '\n'))
    if (locks(base::trim(line), package)) return true;
  return false;
}

base::Result<void> DnfPackages::set_pinned(const std::string& package, bool wanted) {
  AUDITSHIFT_TRY(now, pinned(package));
  if (now == wanted) return {};
  std::vector<std::string> argv = {program_,      "--quiet",
                                   "--assumeyes", "--setopt=exit_on_lock=1",
                                   "versionlock", wanted ? "add" : "delete"};
  if (!wanted) {
    argv.push_back(package);
    return runner_.change(argv, program_ + " cannot release " + package);
  }
  AUDITSHIFT_TRY(version, installed(package));  // a name alone would lock every version on offer
  if (!version) return base::Error(base::Errc::not_found, package + " is not installed and cannot be pinned");
  argv.push_back(package + "-" + version->substr(version->find(':') + 1));
  return runner_.change(argv, program_ + " cannot lock " + package);
}

base::Result<void> DnfPackages::install(const std::string& package, const std::string& version) {
  AUDITSHIFT_TRY(done, ready_to_install(*this, package, version));
  if (done) return {};
  AUDITSHIFT_TRY(now, installed(package));
  const bool down = now && compare_rpm(version, *now) < 0;
  const std::string name = package + "-" + version.substr(version.find(':') + 1);
  AUDITSHIFT_TRY_VOID(runner_.change(
      {program_, "--quiet", "--assumeyes", "--setopt=exit_on_lock=1", down ? "downgrade" : "install", name},
      program_ + " cannot install " + name));
  return check_installed(*this, package, version);
}

}  // namespace auditshift::migrate::outside
