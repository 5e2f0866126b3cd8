// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "migrate/outside/package_managers.h"
#include "migrate/outside/package_versions.h"
#include "scripted_processes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::outside {
namespace {

constexpr const char* kQuiet =
    "env DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 ";

std::string detected(const std::string& os_release, const std::vector<std::string>& programs) {
  tests::TemporaryTree tree;
  tree.file("/etc/os-release", os_release);
  for (const std::string& program : programs) tree.file(program, "");
  return std::string(detect_packages(tree.open(), std::make_shared<tests::ScriptedProcesses>())->manager());
}

TEST(PackageDetection, GoesByTheDistribution) {
  const std::vector<std::string> all = {"/usr/bin/apt-get", "/var/lib/dpkg/status", "/usr/bin/dnf",
                                        "/usr/bin/yum", "/usr/bin/zypper"};
  EXPECT_EQ(detected("ID=debian\n", all), "apt");
  EXPECT_EQ(detected("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", all), "apt");
  EXPECT_EQ(detected("ID=\"sles\"\nID_LIKE=\"suse\"\n", all), "zypper");
  EXPECT_EQ(detected("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", all), "zypper");
  EXPECT_EQ(detected("ID=\"rhel\"\nID_LIKE=\"fedora\"\n", all), "dnf");
  EXPECT_EQ(detected("ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", {"/usr/bin/yum"}), "yum");
  EXPECT_EQ(detected("ID=strange\n", {"/usr/bin/apt-get", "/var/lib/dpkg/status"}), "apt");
  EXPECT_EQ(detected("ID=alpine\n", {}), "");
}

TEST(FindBuild, TakesTheSpellingsOfTheVendorsPages) {
  const std::vector<std::string> available = {"101.24082.0006-1", "101.24082.0004-1", "101.24072.0001-1",
                                              "mdatp"};
  const auto find = [&](const char* text) { return find_build(available, *BuildVersion::parse(text)); };
  EXPECT_EQ(find("101.24072.0001"), "101.24072.0001-1");
  EXPECT_EQ(find("101.24072.0000"), "101.24072.0001-1");
  EXPECT_EQ(find("101.2408.0004"), "101.24082.0004-1");
  EXPECT_EQ(find("101.2408.0000"), "101.24082.0004-1") << "the first of its cut";
  EXPECT_EQ(find("101.24082.0005"), std::nullopt);
  EXPECT_EQ(find("101.24072.0002"), std::nullopt);
  EXPECT_EQ(find_build({"101.24072.0000"}, *BuildVersion::parse("101.24072.0001")), "101.24072.0000");
}

TEST(Yum, ReadsListsThatItWrapped) {
  auto processes = std::make_shared<tests::ScriptedProcesses>();
  processes->answer(std::string(kQuiet) + "dnf --version", 0,
                    "4.14.0\n  Installed: dnf-0:4.14.0-8.el9.noarch at Tue 07 Nov 2023 12:00:00 PM GMT\n");
  processes->answer(
      std::string(kQuiet) +
          "dnf --quiet --assumeyes --setopt=exit_on_lock=1 --showduplicates list available mdatp",
      0,
      "Available Packages\nmdatp.x86_64\n    101.24072.0001-1    packages-microsoft-com-prod\n"
      "mdatp.x86_64 101.24082.0004-1 prod\nmdatp-tools.noarch 9-1 prod\n");
  DnfPackages dnf("dnf", processes);
  EXPECT_EQ(dnf.available("mdatp").value(),
            (std::vector<std::string>{"101.24082.0004-1", "101.24072.0001-1"}));
}

/// yum-versionlock.conf(5): its plugin hides all other versions, from `list` as well. That of dnf 4 does not
/// (dnf-versionlock(8)), and yum of RHEL 8 and later is dnf 4.
TEST(Yum, ShowsMoreThanTheLockedVersion) {
  const auto asked = [](const std::string& said) {
    auto processes = std::make_shared<tests::ScriptedProcesses>();
    processes->answer(std::string(kQuiet) + "yum --version", 0, said);
    (void)DnfPackages("yum", processes).available("mdatp");
    return processes->asked.back();
  };
  EXPECT_EQ(asked("3.4.3\n  Installed: rpm-4.11.3-48.el7_9.x86_64 at 2023-01-01 10:00\n"),
            std::string(kQuiet) +
                "yum --quiet --assumeyes --setopt=exit_on_lock=1 "
                "--disableplugin=versionlock --showduplicates list available mdatp");
  EXPECT_EQ(asked("4.7.0\n  Installed: dnf-0:4.7.0-19.el8.noarch\n"),
            std::string(kQuiet) +
                "yum --quiet --assumeyes --setopt=exit_on_lock=1 --showduplicates list available mdatp");
}

/// dnf5-list(8), dnf5-versionlock(8).
TEST(Dnf5, IsAskedInItsOwnWords) {
  auto processes = std::make_shared<tests::ScriptedProcesses>();
  processes->answer(std::string(kQuiet) + "dnf --version", 0,
                    "dnf5 version 5.2.13.1\ndnf5 plugin API version 2.0\nlibdnf5 version 5.2.13.1\n");
  const std::string list =
      std::string(kQuiet) +
      "dnf --quiet --assumeyes --setopt=exit_on_lock=1 list --available --showduplicates mdatp";
  processes->answer(list, 0,
                    "Available packages\nmdatp.x86_64 101.24072.0001-1 prod\n"
                    "mdatp.x86_64 101.24082.0004-1 prod\n");
  DnfPackages dnf("dnf", processes);
  const auto available = dnf.available("mdatp");
  ASSERT_TRUE(available.ok()) << available.error().message();
  EXPECT_EQ(*available, (std::vector<std::string>{"101.24082.0004-1", "101.24072.0001-1"}));
  EXPECT_TRUE(dnf.available("mdatp").ok());
  EXPECT_EQ(
      std::count(processes->asked.begin(), processes->asked.end(), std::string(kQuiet) + "dnf --version"), 1);

  auto without = std::make_shared<tests::ScriptedProcesses>();
  without->answer(std::string(kQuiet) + "dnf --version", 0, "dnf5 version 5.1.9\n");
  without->answer(std::string(kQuiet) + "dnf --quiet --setopt=exit_on_lock=1 versionlock list", 2, "",
                  "Unknown argument \"versionlock\" for command \"dnf5\".");
  const auto refused = DnfPackages("dnf", without).pinned("mdatp");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::unsupported);
  EXPECT_EQ(refused.error().hint(), "dnf upgrade dnf5");
}

TEST(Yum, KnowsEveryFormOfALock) {
  const std::string list = std::string(kQuiet) + "dnf --quiet --setopt=exit_on_lock=1 versionlock list";
  const auto pinned = [&](const std::string& output) {
    auto processes = std::make_shared<tests::ScriptedProcesses>();
    processes->answer(list, 0, output);
    return DnfPackages("dnf", processes).pinned("mdatp").value();
  };
  EXPECT_TRUE(pinned("mdatp-0:101.24072.0001-1.*\n"));
  EXPECT_TRUE(pinned("0:mdatp-101.24072.0001-1.*\n"));
  EXPECT_TRUE(pinned("# Added\nPackage name: mdatp\nevr = 101.24072.0001-1\n"));
  EXPECT_FALSE(pinned("mdatp-tools-0:1-1.*\n0:other-1-1.*\n"));

  auto without = std::make_shared<tests::ScriptedProcesses>();
  without->answer(list, 1, "", "No such command: versionlock. Please use /usr/bin/dnf --help");
  const auto refused = DnfPackages("dnf", without).pinned("mdatp");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::unsupported);
  EXPECT_THAT(refused.error().hint(), testing::HasSubstr("versionlock"));
}

/// zypper(8), exit codes: those above 100 tell something about a run that was carried out.
class Zypper : public testing::Test {
 protected:
  static constexpr const char* kVersion = "101.24072.0001-1";

  /// rpm's answer before and after an installation, which ends with `exit_code`.
  base::Result<void> install(int exit_code, const std::string& installed_then) {
    const std::string query = std::string(kQuiet) +
                              "rpm --query --queryformat "
                              "%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n mdatp";
    processes_->answer(query, 0, "101.24082.0004-1\n");
    processes_->answer(query, 0, installed_then + "\n");
    processes_->answer(std::string(kQuiet) + "zypper --non-interactive --xmlout locks", 0, "<stream/>");
    processes_->answer(
        std::string(kQuiet) +
            "zypper --non-interactive install --oldpackage --auto-agree-with-licenses mdatp=" + kVersion,
        exit_code, "", "what zypper says");
    return ZypperPackages(processes_).install("mdatp", kVersion);
  }

  const std::string search_ =
      std::string(kQuiet) +
      "zypper --non-interactive --xmlout search --details --match-exact --type package mdatp";
  std::shared_ptr<tests::ScriptedProcesses> processes_ = std::make_shared<tests::ScriptedProcesses>();
};

TEST_F(Zypper, ARepositoryThatIsAwayDoesNotHideWhatTheOthersOffer) {
  processes_->answer(search_, 106,
                     "<message type=\"error\">Some of the repositories have not been refreshed</message>\n"
                     "<solvable status=\"not-installed\" name=\"mdatp\" kind=\"package\" "
                     "edition=\"101.24082.0004-1\" arch=\"x86_64\" repository=\"prod\"/>\n");
  const auto available = ZypperPackages(processes_).available("mdatp");
  ASSERT_TRUE(available.ok()) << available.error().message();
  EXPECT_EQ(*available, std::vector<std::string>{"101.24082.0004-1"});
  processes_->answer(std::string(kQuiet) + "zypper --non-interactive --xmlout locks", 106,
                     "<name>mdatp</name>\n");
  const auto pinned = ZypperPackages(processes_).pinned("mdatp");
  ASSERT_TRUE(pinned.ok()) << pinned.error().message();
  EXPECT_TRUE(*pinned);
}

TEST_F(Zypper, WhatIsNotFoundIsNotOnOffer) {
  processes_->answer(search_, 104, "<message type=\"info\">No matching items found.</message>\n");
  EXPECT_TRUE(ZypperPackages(processes_).available("mdatp").value().empty());
}

TEST_F(Zypper, OtherEndsOfAQueryAreFailures) {
  for (const int exit_code : {4, 102, 105, 107}) {
    auto processes = std::make_shared<tests::ScriptedProcesses>();
    processes->answer(search_, exit_code, "");
    EXPECT_FALSE(ZypperPackages(processes).available("mdatp").ok()) << exit_code;
  }
}

TEST_F(Zypper, AnInstallationThatWantsARebootOrARestartIsDone) {
  for (const int exit_code : {0, 102, 103, 106}) {
    processes_ = std::make_shared<tests::ScriptedProcesses>();
    const auto done = install(exit_code, kVersion);
    EXPECT_TRUE(done.ok()) << exit_code << ": " << done.error().message();
  }
}

TEST_F(Zypper, OnlyWhatIsInstalledThenCounts) {
  const auto done = install(106, "101.24082.0004-1");
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().message(), testing::HasSubstr("there is 101.24082.0004-1 installed"));
}

TEST_F(Zypper, OtherEndsOfAnInstallationAreFailures) {
  for (const int exit_code : {4, 8, 104, 105, 107}) {
    processes_ = std::make_shared<tests::ScriptedProcesses>();
    const auto done = install(exit_code, kVersion);
    ASSERT_FALSE(done.ok()) << exit_code;
    EXPECT_THAT(done.error().message(), testing::HasSubstr("what zypper says")) << exit_code;
  }
}

TEST(Lock, IsWaitedForAndThenTheWorkIsDone) {
  auto processes = std::make_shared<tests::ScriptedProcesses>();
  const std::string hold = std::string(kQuiet) + "apt-mark hold mdatp";
  processes->answer(hold, 100, "",
                    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7");
  processes->answer(hold, 0, "mdatp set on hold.");
  PackageOptions options;
  options.lock_pause = std::chrono::milliseconds(0);
  AptPackages apt(processes, options);
  EXPECT_TRUE(apt.set_pinned("mdatp", true).ok());
  EXPECT_EQ(processes->asked.size(), 2U);
}

TEST(Apt, TellsWhatIsOnOfferOnly) {
  auto processes = std::make_shared<tests::ScriptedProcesses>();
  processes->answer(std::string(kQuiet) + "apt-cache madison mdatp", 0,
                    "     mdatp | 101.24082.0004 | https://packages bookworm/main amd64 Packages\n"
                    "     mdatp | 101.24082.0004 | https://other bookworm/main amd64 Packages\n"
                    "     mdatp | 101.24072.0001 | https://packages bookworm/main amd64 Packages\n"
                    "     mdatp | 101.24072.0001 | https://packages bookworm/main Sources\n");
  EXPECT_EQ(AptPackages(processes).available("mdatp").value(),
            (std::vector<std::string>{"101.24082.0004", "101.24072.0001"}));
  const std::string query =
      std::string(kQuiet) + "dpkg-query --show --showformat=${db:Status-Status} ${Version}\\n mdatp";
  processes->answer(query, 0, "config-files 101.24072.0001\n");
  EXPECT_EQ(AptPackages(processes).installed("mdatp").value(), std::nullopt) << "removed, not purged";
}

}  // namespace
}  // namespace auditshift::migrate::outside
