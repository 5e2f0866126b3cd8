// SPDX-License-Identifier: Apache-2.0
// The real apt, dnf and zypper, each with a repository of small packages named mdatp that this test builds,
// in a copy of this machine without a network.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <sstream>

#include "base/fd.h"
#include "base/process.h"
#include "base/sysroot.h"
#include "jail.h"
#include "migrate/change/package_rollback.h"
#include "migrate/outside/package_managers.h"
#include "migrate/outside/package_versions.h"
#include "package_repositories.h"

namespace auditshift::migrate::outside {
namespace {

using tests::kConfig;
using tests::Manager;
using tests::package_managers;
using tests::read;
using tests::run;
using tests::write;

std::string jail_obstacle;

/// The steps keep no file.
class NoBackups final : public change::BackupStore {
 public:
  base::Result<std::string> keep(std::string_view) override { return base::Error(base::Errc::io, "none"); }
  base::Result<std::string> read(const std::string&) const override {
    return base::Error(base::Errc::io, "none");
  }
};

class RealPackages : public testing::TestWithParam<Manager> {
 protected:
  void SetUp() override {
    if (!jail_obstacle.empty()) GTEST_SKIP() << "no copy of this machine: " << jail_obstacle;
    if (::access(GetParam().program.c_str(), X_OK) != 0)
      GTEST_SKIP() << GetParam().program << " is not installed (./dev setup)";
    make_host_of(GetParam());
    PackageOptions options;
    options.lock_patience = std::chrono::milliseconds(1500);
    options.lock_pause = std::chrono::milliseconds(100);
    packages_ =
        detect_packages(*base::Sysroot::open("/"), std::make_shared<base::SystemProcessRunner>(), options);
  }
  void TearDown() override {
    if (!packages_) return;
    remove_package(GetParam(), *packages_);
    std::filesystem::remove_all(std::filesystem::path(kConfig).parent_path());
  }

  std::string version(const std::string& build) const { return build + GetParam().suffix; }
  void install(const std::string& build) {
    const auto done = packages_->install("mdatp", version(build));
    ASSERT_TRUE(done.ok()) << done.error().message();
    EXPECT_EQ(packages_->installed("mdatp").value(), version(build));
  }

  std::unique_ptr<Packages> packages_;
};

TEST_P(RealPackages, AreDetectedByTheDistribution) { EXPECT_EQ(packages_->manager(), GetParam().name); }

TEST_P(RealPackages, TellWhatIsThereAndWhatIsOnOffer) {
  EXPECT_EQ(packages_->installed("mdatp").value(), std::nullopt);
  const auto available = packages_->available("mdatp");
  ASSERT_TRUE(available.ok()) << available.error().message();
  EXPECT_EQ(*available, (std::vector<std::string>{version("101.24082.0004"), version("101.24072.0001"),
                                                  version("101.9.1")}));
  EXPECT_TRUE(packages_->available("no-such-package").value().empty());
  EXPECT_EQ(find_build(*available, *BuildVersion::parse("101.24072.0000")), version("101.24072.0001"));
  EXPECT_EQ(find_build(*available, *BuildVersion::parse("101.2408.0004")), version("101.24082.0004"));
}

TEST_P(RealPackages, GoDownAndUpAndKeepTheConfiguration) {
  install("101.24082.0004");
  write(kConfig, "the administrator's\n");
  install("101.24072.0001");
  EXPECT_EQ(read(kConfig), "the administrator's\n");
  install("101.24072.0001");  // again: nothing to do
  install("101.24082.0004");
  EXPECT_EQ(read(kConfig), "the administrator's\n");
  EXPECT_TRUE(packages_->available("mdatp").value().size() == 3) << "what is installed is still on offer";
}

TEST_P(RealPackages, PinAndRelease) {
  install("101.24072.0001");
  EXPECT_FALSE(packages_->pinned("mdatp").value());
  for (int twice = 0; twice < 2; ++twice) {
    const auto pinned = packages_->set_pinned("mdatp", true);
    ASSERT_TRUE(pinned.ok()) << pinned.error().message();
    EXPECT_TRUE(packages_->pinned("mdatp").value());
  }
  EXPECT_FALSE(packages_->pinned("mdat").value());
  const auto refused = packages_->install("mdatp", version("101.24082.0004"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy) << refused.error().message();
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24072.0001"));
  ASSERT_TRUE(packages_->set_pinned("mdatp", false).ok());
  EXPECT_FALSE(packages_->pinned("mdatp").value());
  EXPECT_TRUE(packages_->set_pinned("mdatp", false).ok());
  install("101.24082.0004");
}

TEST_P(RealPackages, SayInTheManagersWordsWhyTheyCannot) {
  const auto failed = packages_->install("mdatp", version("101.77777.0001"));
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message().find("101.77777.0001"), std::string::npos) << failed.error().message();
  EXPECT_THAT(failed.error().message(),
              testing::AnyOf(testing::HasSubstr("not found"), testing::HasSubstr("No provider"),
                             testing::HasSubstr("Unable to find a match")));
}

TEST_P(RealPackages, WaitForAnotherProcessUpToALimit) {
  const base::Fd held(GetParam().lock());
  ASSERT_TRUE(held.valid());
  const auto refused = packages_->install("mdatp", version("101.24082.0004"));
  ::unlink("/var/lib/dnf/rpmdb_lock.pid");
  ::unlink("/run/zypp.pid");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy) << refused.error().message();
}

/// The rollback as it is planned, carried out by its steps, undone in reverse, and rolled forward.
TEST_P(RealPackages, RollBackByStepsAndForwardAgain) {
  install("101.24082.0004");
  change::Host host;
  host.packages = std::shared_ptr<Packages>(packages_.get(), [](Packages*) {});
  NoBackups backups;
  const auto facts = change::collect_package_facts(*packages_, "mdatp");
  ASSERT_TRUE(facts.ok()) << facts.error().message();
  const BuildVersion build = *BuildVersion::parse("101.24072.0000");
  const auto expiry = change::expiry_of(build);
  const std::chrono::sys_days today = std::chrono::year(2026) / 11 / 21;
  EXPECT_TRUE(change::plan_package_rollback(build, *facts, expiry, today, {}).steps.empty()) << "expired";
  const auto plan = change::plan_package_rollback(build, *facts, expiry, today, {change::kBuildExpired});
  ASSERT_EQ(plan.steps.size(), 2U);

  std::vector<std::pair<std::unique_ptr<change::Step>, base::Json>> taken;
  for (const change::StepSpec& spec : plan.steps) {
    auto step = change::make_step(spec);
    ASSERT_TRUE(step.ok());
    EXPECT_NE((*step)->diff(host).value(), "");
    const auto captured = (*step)->capture(host, backups);
    ASSERT_TRUE(captured.ok()) << captured.error().message();
    const auto applied = (*step)->apply(host, *captured);
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    EXPECT_TRUE((*step)->done(host).value());
    taken.emplace_back(std::move(*step), *captured);
  }
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24072.0001"));
  EXPECT_TRUE(packages_->pinned("mdatp").value());

  const auto forward =
      change::plan_package_forward(change::collect_package_facts(*packages_, "mdatp").value());
  ASSERT_EQ(forward.steps.size(), 2U) << "the pin away, the newest build";

  for (auto step = taken.rbegin(); step != taken.rend(); ++step) {
    const auto undone = step->first->undo(host, step->second, backups);
    ASSERT_TRUE(undone.ok()) << undone.error().message();
  }
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24082.0004"));
  EXPECT_FALSE(packages_->pinned("mdatp").value());
}

/// The same by the command, as an operator gives it.
TEST_P(RealPackages, TheCommandGoesToAnOlderBuildAndBack) {
  install("101.24082.0004");
  base::SystemProcessRunner runner;
  const auto tool = [&](std::vector<std::string> words) {
    words.insert(words.begin(), AUDITSHIFT_TOOL);
    const auto done = runner.run({.argv = words, .input = {}, .timeout = std::chrono::minutes(3)});
    EXPECT_TRUE(done.ok());
    return done ? *done : base::Completed();
  };
  const auto unavailable = tool({"rollback", "--to-build", "101.24062.0001", "--yes"});
  EXPECT_EQ(unavailable.exit_code, 2) << unavailable.errors;
  EXPECT_THAT(unavailable.errors, testing::HasSubstr("PKG001"));
  const auto expired = tool({"rollback", "--to-build", "101.24072.0000", "--yes"});
  EXPECT_EQ(expired.exit_code, 2) << expired.errors;
  EXPECT_THAT(expired.errors, testing::HasSubstr("--accept PKG002"));
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24082.0004"));

  const std::vector<std::string> consented = {"rollback", "--to-build", "101.24072.0000",
                                              "--accept", "PKG002",     "--yes"};
  const auto down = tool(consented);
  EXPECT_EQ(down.exit_code, 0) << down.output << down.errors;
  EXPECT_THAT(down.errors, testing::HasSubstr("warning: updates that the vendor's portal orders"));
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24072.0001"));
  EXPECT_TRUE(packages_->pinned("mdatp").value());
  const auto again = tool(consented);
  EXPECT_EQ(again.exit_code, 0) << again.output << again.errors;
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24072.0001"));

  const auto back = tool({"rollback", "--yes"});
  EXPECT_EQ(back.exit_code, 0) << back.output << back.errors;
  EXPECT_EQ(packages_->installed("mdatp").value(), version("101.24082.0004"));
  EXPECT_FALSE(packages_->pinned("mdatp").value());
}

TEST_P(RealPackages, GoOnAfterAnInstallationThatWasCutOff) {
  if (GetParam().name != "apt") GTEST_SKIP() << "rpm has no such state between";
  run({"dpkg", "--unpack", "/repository/deb/mdatp-101.24082.0004.deb"});
  EXPECT_EQ(packages_->installed("mdatp").value(), std::nullopt) << "unpacked, not configured";
  install("101.24072.0001");
}

INSTANTIATE_TEST_SUITE_P(Managers, RealPackages, testing::ValuesIn(package_managers()),
                         [](const auto& manager) { return manager.param.name; });

/// Our order of versions against rpm's own.
TEST(RpmVersions, OrderAsRpmDoes) {
  if (::access("/usr/bin/rpm", X_OK) != 0) GTEST_SKIP() << "rpm is not installed (./dev setup)";
  const std::vector<std::string> versions = {
      "1.0",     "1.0.1", "1.0~rc1", "1.0^git1", "1.0^", "1.10", "1.9",  "1.0a",           "a",
      "1",       "01",    "1..0",    "1.0.",     "2",    "1.0b", "1.0~", "101.24072.0001", "101.24082.0004",
      "101.9.1", "10xyz", "xyz10"};
  std::string script;
  for (const std::string& left : versions)
    for (const std::string& right : versions)
      script += "print(rpm.vercmp('" + left + "','" + right + "')..' ')";
  const std::string said = run({"rpm", "--eval", "%{lua:" + script + "}"}).output;
  std::istringstream numbers(said);
  for (const std::string& left : versions)
    for (const std::string& right : versions) {
      int theirs = 9;
      numbers >> theirs;
      const auto ours = compare_rpm(left, right);
      EXPECT_EQ(ours < 0 ? -1 : ours > 0 ? 1 : 0, theirs) << left << " and " << right;
    }
}

}  // namespace
}  // namespace auditshift::migrate::outside

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::string tools = std::string(AUDITSHIFT_SOURCE_DIR) + "/build/test-tools/zypper";
  return auditshift::tests::run_in_jail(tools, [](const std::string& obstacle) {
    auditshift::migrate::outside::jail_obstacle = obstacle;
    return RUN_ALL_TESTS();
  });
}
