// SPDX-License-Identifier: Apache-2.0
#include "package_repositories.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace auditshift::tests {
namespace {

constexpr const char* kBuilds[] = {"101.24072.0001", "101.24082.0004", "101.9.1"};

std::string stand_in_state(const std::string& build) {
  return "version=" + build + "\nloads=no\ncleans=no\n";
}

}  // namespace

base::Completed run(const std::vector<std::string>& argv) {
  base::SystemProcessRunner runner;
  base::Command command;
  command.argv = argv;
  command.timeout = std::chrono::minutes(2);
  const auto done = runner.run(command);
  EXPECT_TRUE(done.ok()) << done.error().message();
  if (!done.ok()) return {};
  EXPECT_TRUE(done->success()) << argv[0] << ": " << done->errors << done->output;
  return *done;
}

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

namespace {

void make_deb_repository() {
  if (std::filesystem::exists("/repository/deb")) return;
  for (const std::string build : kBuilds) {
    const std::string tree = "/packages/deb-" + build;
    write(tree + "/DEBIAN/control", "Package: mdatp\nVersion: " + build +
                                        "\nArchitecture: all\nMaintainer: tests <tests@example.org>\n"
                                        "Description: stands for the agent\n");
    write(tree + "/DEBIAN/conffiles", std::string(kConfig) + "\n");
    write(tree + kConfig, "as packaged in " + build + "\n");
    write(tree + kStandInState, stand_in_state(build));
    std::filesystem::create_directories("/repository/deb");
    run({"dpkg-deb", "--build", "--root-owner-group", tree, "/repository/deb/mdatp-" + build + ".deb"});
  }
  run({"sh", "-c", "cd /repository/deb && dpkg-scanpackages --multiversion . > Packages"});
  for (const auto& list : std::filesystem::directory_iterator("/etc/apt/sources.list.d"))
    std::filesystem::remove(list.path());
  write("/etc/apt/sources.list", "deb [trusted=yes] file:/repository/deb ./\n");
  run({"apt-get", "update"});
}

void make_rpm_repository() {
  if (std::filesystem::exists("/repository/rpm")) return;
  write("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n");  // Debian's own is below the home directory
  for (const std::string build : kBuilds) {
    const std::string spec = "/packages/" + build + ".spec";
    write(spec, "Name: mdatp\nVersion: " + build +
                    "\nRelease: 1\nSummary: stands for the agent\nLicense: none\nBuildArch: noarch\n"
                    "%description\nstands for the agent\n%install\n"
                    "mkdir -p %{buildroot}/etc/opt/microsoft/mdatp $(dirname %{buildroot}" +
                    kStandInState +
                    ")\n"
                    "echo 'as packaged in " +
                    build + "' > %{buildroot}" + kConfig + "\ncat > %{buildroot}" + kStandInState +
                    " <<'STATE'\n" + stand_in_state(build) + "STATE\n%files\n%config(noreplace) " + kConfig +
                    "\n" + kStandInState + "\n");
    run({"rpmbuild", "-bb", "--quiet", "--define", "_topdir /packages/rpm", "--define",
         "_rpmdir /repository/rpm", spec});
  }
  run({"createrepo_c", "--quiet", "/repository/rpm"});
  const std::string repository =
      "[tests]\nname=tests\nbaseurl=file:///repository/rpm\ngpgcheck=0\nenabled=1\n";
  for (const char* directory : {"/etc/yum.repos.d", "/etc/zypp/repos.d"}) {
    std::filesystem::remove_all(directory);
    write(std::string(directory) + "/tests.repo", repository);
  }
  write("/etc/dnf/plugins/local.conf", "[main]\nenabled = false\n");  // keeps what it installed, unsigned
}

int lock_dpkg() {
  const int fd = ::open("/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  ::fcntl(fd, F_SETLK, &whole);
  return fd;
}

/// dnf takes a lock for held while the process in it lives.
int lock_dnf() {
  write("/var/lib/dnf/rpmdb_lock.pid", std::to_string(::getpid()));
  return ::open("/var/lib/dnf/rpmdb_lock.pid", O_RDONLY | O_CLOEXEC);
}

int lock_zypper() {
  write("/run/zypp.pid", std::to_string(::getpid()));
  return ::open("/run/zypp.pid", O_RDONLY | O_CLOEXEC);
}

}  // namespace

std::vector<Manager> package_managers() {
  return {
      {"apt", "/usr/bin/apt-get", "ID=debian\n", "", make_deb_repository, lock_dpkg},
      {"dnf", "/usr/bin/dnf-3", "ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "-1", make_rpm_repository,
       lock_dnf},
      // dnf under its older name, as Red Hat 8 and 9 and Amazon Linux have it.
      {"yum", "/usr/bin/dnf-3", "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", "-1", make_rpm_repository,
       lock_dnf},
      {"zypper", "/usr/bin/zypper", "ID=\"sles\"\nID_LIKE=\"suse\"\n", "-1", make_rpm_repository,
       lock_zypper},
  };
}

void make_host_of(const Manager& manager) {
  manager.make_repository();
  for (const char* name : {"/usr/bin/dnf", "/usr/bin/yum"}) std::filesystem::remove(name);
  if (std::filesystem::exists("/usr/bin/dnf-3"))
    std::filesystem::create_symlink("dnf-3", manager.name == "yum" ? "/usr/bin/yum" : "/usr/bin/dnf");
  std::filesystem::remove("/etc/os-release");
  write("/etc/os-release", manager.os_release);
}

void remove_package(const Manager& manager, migrate::outside::Packages& packages) {
  if (const auto pinned = packages.pinned("mdatp"); pinned && *pinned) {
    EXPECT_TRUE(packages.set_pinned("mdatp", false).ok());
  }
  if (manager.name == "apt") {
    run({"dpkg", "--purge", "mdatp"});
    return;
  }
  if (const auto installed = packages.installed("mdatp"); installed && *installed)
    run({"rpm", "--erase", "mdatp"});
  // dnf's and zypper's copies of one database do not get along.
  for (const char* state : {"/var/lib/rpm", "/var/cache/zypp", "/var/cache/dnf"})
    std::filesystem::remove_all(state);
  run({"rpm", "--initdb"});
}

}  // namespace auditshift::tests
