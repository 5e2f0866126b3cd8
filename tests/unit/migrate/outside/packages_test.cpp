// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  processes->answer(
      std::string(kQuiet) +
          "yum --quiet --assumeyes --setopt=exit_on_lock=1 --showduplicates list available mdatp",
      0,
      "Available Packages\nmdatp.x86_64\n    101.24072.0001-1    packages-microsoft-com-prod\n"
      "mdatp.x86_64 101.24082.0004-1 prod\nmdatp-tools.noarch 9-1 prod\n");
  DnfPackages yum("yum", processes);
  EXPECT_EQ(yum.available("mdatp").value(),
            (std::vector<std::string>{"101.24082.0004-1", "101.24072.0001-1"}));
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
