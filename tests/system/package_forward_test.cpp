// SPDX-License-Identifier: Apache-2.0
// An older build and forward again, by the commands that an operator gives, with the real apt, dnf, yum and
// zypper: in a copy of this machine whose agent is the stand-in. The kernel's audit system is this machine's:
// it is looked at, and holds no rule meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "auditd/kernel.h"
#include "base/process.h"
#include "base/sysroot.h"
#include "jail.h"
#include "kernel_lock.h"
#include "migrate/outside/package_managers.h"
#include "package_repositories.h"

namespace auditshift::tests {
namespace {

using ::testing::HasSubstr;

std::string jail_obstacle;

constexpr const char* kRules = "/etc/audit/rules.d/mdatp.rules";
constexpr const char* kState = "/var/lib/auditshift";
constexpr const char* kUnit = "/etc/systemd/system/mdatp.service";

base::Completed tool(std::vector<std::string> words) {
  words.insert(words.begin(), {AUDITSHIFT_TOOL, "-q"});
  base::SystemProcessRunner runner;
  const auto done = runner.run({.argv = words, .input = {}, .timeout = std::chrono::minutes(5)});
  EXPECT_TRUE(done.ok()) << done.error().message();
  return done ? *done : base::Completed();
}

class Forward : public ::testing::TestWithParam<Manager> {
 protected:
  void SetUp() override {
    if (!jail_obstacle.empty()) GTEST_SKIP() << "no copy of this machine: " << jail_obstacle;
    if (::access(GetParam().program.c_str(), X_OK) != 0)
      GTEST_SKIP() << GetParam().program << " is not installed (./dev setup)";
    const auditd::LiveRules live = auditd::LiveKernelAudit(auditd::ParseOptions{}).rules();
    if (!live.known) GTEST_SKIP() << live.reason;
    if (!live.rules.empty()) GTEST_SKIP() << "this kernel holds audit rules of somebody else";
    make_host_of(GetParam());
    std::filesystem::copy_file(AUDITSHIFT_STANDIN, "/usr/bin/mdatp",
                               std::filesystem::copy_options::overwrite_existing);
    write("/opt/microsoft/mdatp/sbin/wdavdaemon", "");
    write(kUnit,
          "[Service]\nExecStart=/opt/microsoft/mdatp/sbin/wdavdaemon\n"
          "[Install]\nWantedBy=multi-user.target\n");
    const std::string wanted = "/etc/systemd/system/multi-user.target.wants";
    std::filesystem::create_directories(wanted);
    std::filesystem::remove(wanted + "/mdatp.service");
    std::filesystem::create_symlink(kUnit, wanted + "/mdatp.service");
    std::filesystem::remove_all("/etc/audit/rules.d");
    std::filesystem::remove_all(kState);
    std::filesystem::create_directories(kState);
    // The stand-in watches by fanotify(7), which tells no names of the jail's overlay.
    ASSERT_EQ(::mount("tmpfs", kState, "tmpfs", 0, "mode=0700"), 0) << std::strerror(errno);
    write(kRules, "-a always,exit -F arch=b64 -S connect -k mdatp\n");
    packages_ = migrate::outside::detect_packages(*base::Sysroot::open("/"),
                                                  std::make_shared<base::SystemProcessRunner>());
    const auto done = packages_->install("mdatp", version("101.24082.0004"));
    ASSERT_TRUE(done.ok()) << done.error().message();
  }
  void TearDown() override {
    ::umount2(kState, MNT_DETACH);
    if (!packages_) return;
    remove_package(GetParam(), *packages_);
    for (const char* path : {"/etc/opt/microsoft", "/opt/microsoft", "/var/opt/microsoft"})
      std::filesystem::remove_all(path);
  }

  std::string version(const std::string& build) const { return build + GetParam().suffix; }
  std::string installed() { return packages_->installed("mdatp").value().value_or("none"); }
  bool pinned() { return packages_->pinned("mdatp").value(); }

  std::unique_ptr<migrate::outside::Packages> packages_;
};

TEST_P(Forward, TheSwitchLetsTheBuildGoAndRollbackHoldsItAgain) {
  const auto down = tool({"rollback", "--to-build", "101.24072.0000", "--accept", "PKG002", "--yes"});
  ASSERT_EQ(down.exit_code, 0) << down.output << down.errors;
  ASSERT_EQ(installed(), version("101.24072.0001"));
  ASSERT_TRUE(pinned());
  EXPECT_THAT(run({"mdatp", "health"}).output, HasSubstr("\"auditd\""));

  const auto planned = tool({"plan", "--diff"});
  EXPECT_EQ(planned.exit_code, 2) << planned.output << planned.errors;
  const auto forward = tool({"switch", "--yes"});
  EXPECT_EQ(forward.exit_code, 0) << forward.output << forward.errors;
  EXPECT_EQ(installed(), version("101.24082.0004"));
  EXPECT_FALSE(pinned());
  EXPECT_FALSE(std::filesystem::exists(kRules));
  EXPECT_THAT(run({"mdatp", "health"}).output, HasSubstr("\"ebpf\""));
  EXPECT_EQ(tool({"verify"}).exit_code, 0);
  EXPECT_EQ(tool({"switch", "--yes"}).exit_code, 0) << "nothing to do";

  const auto back = tool({"rollback", "--yes"});
  EXPECT_EQ(back.exit_code, 0) << back.output << back.errors;
  EXPECT_EQ(installed(), version("101.24072.0001"));
  EXPECT_TRUE(pinned());
  EXPECT_TRUE(std::filesystem::exists(kRules));
  EXPECT_THAT(run({"mdatp", "health"}).output, HasSubstr("\"auditd\""));
}

INSTANTIATE_TEST_SUITE_P(Managers, Forward, ::testing::ValuesIn(package_managers()),
                         [](const auto& manager) { return manager.param.name; });

}  // namespace
}  // namespace auditshift::tests

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auditshift::testing::KernelLock lock;
  const std::string tools = std::string(AUDITSHIFT_SOURCE_DIR) + "/build/test-tools/zypper";
  return auditshift::tests::run_in_jail(
      tools,
      [](const std::string& obstacle) {
        auditshift::tests::jail_obstacle = obstacle;
        return RUN_ALL_TESTS();
      },
      auditshift::tests::Jail::shares_audit);
}
