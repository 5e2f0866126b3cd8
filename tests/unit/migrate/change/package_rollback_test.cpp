// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/package_rollback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/change/package_steps.h"

namespace auditshift::migrate::change {
namespace {

using namespace std::chrono;
using testing::Contains;
using testing::HasSubstr;

constexpr sys_days kToday = 2024y / 12 / 1;

PackageFacts facts() {
  PackageFacts facts;
  facts.manager = "dnf";
  facts.installed = "101.24082.0004-1";
  facts.available = {"101.24082.0004-1", "101.24072.0001-1", "101.23082.0009-1"};
  facts.pinned = false;
  return facts;
}

PackagePlan plan(const char* build, const PackageFacts& facts, sys_days today = kToday,
                 const std::vector<std::string>& consent = {}) {
  const BuildVersion version = *BuildVersion::parse(build);
  return plan_package_rollback(version, facts, expiry_of(version), today, consent);
}

TEST(PackageRollback, InstallsAndPins) {
  for (const char* spelling : {"101.24072.0001", "101.24072.0000", "101.24072.0001-1"}) {
    const PackagePlan made = plan(spelling, facts());
    EXPECT_TRUE(made.obstacles.empty()) << spelling;
    EXPECT_EQ(made.version, "101.24072.0001-1");
    EXPECT_EQ(made.steps,
              (std::vector<StepSpec>{package_version("version-mdatp", "mdatp", "101.24072.0001-1"),
                                     package_pin("pin-mdatp", "mdatp", true)}));
    EXPECT_THAT(made.warnings, Contains(HasSubstr("portal")));
  }
}

TEST(PackageRollback, TakesAPinAwayFirst) {
  PackageFacts pinned = facts();
  pinned.pinned = true;
  const PackagePlan made = plan("101.24072.0001", pinned);
  ASSERT_EQ(made.steps.size(), 3U);
  EXPECT_EQ(made.steps[0], package_pin("unpin-mdatp", "mdatp", false));
  EXPECT_EQ(made.steps[2], package_pin("pin-mdatp", "mdatp", true));
}

TEST(PackageRollback, OfWhatIsThereOnlyPins) {
  PackageFacts there = facts();
  there.installed = "101.24072.0001-1";
  EXPECT_EQ(plan("101.24072.0001", there).steps,
            std::vector<StepSpec>{package_pin("pin-mdatp", "mdatp", true)});
  there.pinned = true;
  EXPECT_TRUE(plan("101.24072.0001", there).steps.empty());
}

TEST(PackageRollback, ChecksAvailabilityFirst) {
  const PackagePlan made = plan("101.24062.0001", facts(), 2030y / 1 / 1);
  ASSERT_EQ(made.obstacles.size(), 1U);
  EXPECT_EQ(made.obstacles[0].id, kBuildNotAvailable);
  EXPECT_FALSE(made.obstacles[0].overridable);
  EXPECT_THAT(made.obstacles[0].text, HasSubstr("101.24072.0001-1"));
  EXPECT_TRUE(made.steps.empty());
}

TEST(PackageRollback, AnExpiredBuildNeedsConsentByItsId) {
  EXPECT_EQ(expiry_of(*BuildVersion::parse("101.24072.0001"))->day, sys_days(2025y / 6 / 23));
  EXPECT_TRUE(plan("101.24072.0001", facts(), 2025y / 6 / 22).obstacles.empty());
  const PackagePlan refused = plan("101.24072.0001", facts(), 2025y / 6 / 23, {"PKG001", "AUD003"});
  ASSERT_EQ(refused.obstacles.size(), 1U);
  EXPECT_EQ(refused.obstacles[0].id, kBuildExpired);
  EXPECT_TRUE(refused.obstacles[0].overridable);
  EXPECT_THAT(refused.obstacles[0].text, HasSubstr("2025-06-23"));
  EXPECT_TRUE(refused.steps.empty());
  const PackagePlan accepted = plan("101.24072.0001", facts(), 2026y / 11 / 21, {kBuildExpired});
  EXPECT_TRUE(accepted.obstacles.empty());
  EXPECT_EQ(accepted.steps.size(), 2U);
  EXPECT_THAT(accepted.warnings, Contains(HasSubstr("expired on 2025-06-23"))) << "allowed, never silent";
}

TEST(PackageRollback, EstimatesWhereTheReleaseIsNotKnown) {
  const auto estimated = expiry_of(*BuildVersion::parse("101.24052.0005"));
  ASSERT_TRUE(estimated.has_value());
  EXPECT_TRUE(estimated->estimated);
  EXPECT_EQ(estimated->day, sys_days(2025y / 3 / 1));
  EXPECT_EQ(expiry_of(*BuildVersion::parse("101.98.89")), std::nullopt);
  PackageFacts old = facts();
  old.available.push_back("101.98.89-1");
  EXPECT_EQ(plan("101.98.89", old).obstacles.at(0).id, kBuildExpiryUnknown);
  EXPECT_TRUE(plan("101.98.89", old, kToday, {kBuildExpiryUnknown}).obstacles.empty());
}

TEST(PackageRollback, WarnsOfWhatItCannotKeep) {
  PackageFacts bare = facts();
  bare.pinned.reset();
  bare.installed = "101.24092.0001-1";
  const PackagePlan made = plan("101.24072.0001", bare);
  EXPECT_THAT(made.warnings, Contains(HasSubstr("cannot pin")));
  EXPECT_THAT(made.warnings, Contains(HasSubstr("on offer no more")));
  EXPECT_EQ(made.steps.size(), 1U);
  EXPECT_THAT(plan("101.24082.0004", bare).warnings, Contains(HasSubstr("no auditd provider")));
  EXPECT_THAT(plan("101.23082.0009", bare, 2023y / 12 / 1).warnings, Contains(HasSubstr("immutable")));
}

TEST(PackageForward, OnlyWhatARollbackHoldsIsItsOwn) {
  PackageFacts facts;
  facts.installed = "101.24072.0001";
  facts.available = {"101.24082.0004", "101.24072.0001"};
  facts.pinned = true;
  EXPECT_FALSE(held_by_rollback({}, facts)) << "somebody else's pin";
  PackagePlan packages;
  packages.version = "101.24072.0001";
  packages.steps = {package_pin("pin", "mdatp", true)};
  Status down;
  down.plan = package_plan(packages, {});
  down.state = State::committed;
  Status other;
  other.state = State::switched;
  EXPECT_TRUE(held_by_rollback({down, other}, facts));
  down.state = State::rolled_back;
  EXPECT_FALSE(held_by_rollback({down}, facts)) << "undone";
  down.state = State::switched;
  EXPECT_TRUE(held_by_rollback({down}, facts));
  facts.pinned = false;
  EXPECT_FALSE(held_by_rollback({down}, facts)) << "somebody let it go";
  facts.pinned = true;
  facts.installed = "101.24082.0004";
  EXPECT_FALSE(held_by_rollback({down}, facts)) << "somebody installed another build";
}

TEST(PackageForward, TakesThePinAwayAndTheNewest) {
  PackageFacts rolled_back = facts();
  rolled_back.installed = "101.24072.0001-1";
  rolled_back.pinned = true;
  const PackagePlan made = plan_package_forward(rolled_back);
  EXPECT_EQ(made.steps,
            (std::vector<StepSpec>{package_pin("unpin-mdatp", "mdatp", false),
                                   package_version("version-mdatp", "mdatp", "101.24082.0004-1")}));
  EXPECT_TRUE(plan_package_forward(facts()).steps.empty());
}

TEST(PackageForward, NothingOnOfferIsAnObstacleAndChangesNothing) {
  PackageFacts rolled_back = facts();
  rolled_back.installed = "101.24072.0001-1";
  rolled_back.available.clear();
  rolled_back.pinned = true;
  const PackagePlan made = plan_package_forward(rolled_back);
  EXPECT_EQ(made.version, "101.24072.0001-1") << "what is there stays";
  EXPECT_TRUE(made.steps.empty());
  ASSERT_EQ(made.obstacles.size(), 1U);
  EXPECT_EQ(made.obstacles[0].id, kBuildNotAvailable);
}

/// A manager in memory.
class FakePackages final : public outside::Packages {
 public:
  std::string_view manager() const override { return "fake"; }
  base::Result<std::optional<std::string>> installed(const std::string&) override { return version; }
  base::Result<std::vector<std::string>> available(const std::string&) override { return offered; }
  base::Result<bool> pinned(const std::string&) override { return pin; }
  base::Result<void> set_pinned(const std::string&, bool wanted) override {
    pin = wanted;
    return {};
  }
  base::Result<void> install(const std::string&, const std::string& wanted) override {
    if (pin) return base::Error(base::Errc::busy, "pinned");
    version = wanted;
    return {};
  }
  std::optional<std::string> version = "2-1";
  std::vector<std::string> offered = {"2-1", "1-1"};
  bool pin = false;
};

class NoBackups final : public BackupStore {
 public:
  base::Result<std::string> keep(std::string_view) override { return base::Error(base::Errc::io, "none"); }
  base::Result<std::string> read(const std::string&) const override {
    return base::Error(base::Errc::io, "none");
  }
};

class PackageSteps : public testing::Test {
 protected:
  PackageSteps() { host_.packages = packages_; }
  std::unique_ptr<Step> make(const StepSpec& spec) {
    auto step = make_step(spec);
    EXPECT_TRUE(step.ok()) << step.error().message();
    return std::move(*step);
  }
  std::shared_ptr<FakePackages> packages_ = std::make_shared<FakePackages>();
  Host host_;
  NoBackups backups_;
};

TEST_F(PackageSteps, ChangeAndUndoAVersion) {
  const auto step = make(package_version("a", "mdatp", "1-1"));
  EXPECT_EQ(step->diff(host_).value(), "package mdatp: 2-1 -> 1-1\n");
  const auto captured = step->capture(host_, backups_).value();
  EXPECT_FALSE(step->done(host_).value());
  ASSERT_TRUE(step->apply(host_, captured).ok());
  ASSERT_TRUE(step->apply(host_, captured).ok());
  EXPECT_TRUE(step->done(host_).value());
  EXPECT_EQ(step->diff(host_).value(), "");
  for (int twice = 0; twice < 2; ++twice) ASSERT_TRUE(step->undo(host_, captured, backups_).ok());
  EXPECT_EQ(packages_->version, "2-1");
}

TEST_F(PackageSteps, UndoWhatWasCutOffButNotWhatOthersDid) {
  const auto step = make(package_version("a", "mdatp", "1-1"));
  const auto captured = step->capture(host_, backups_).value();
  packages_->version.reset();  // half installed
  ASSERT_TRUE(step->undo(host_, captured, backups_).ok());
  EXPECT_EQ(packages_->version, "2-1");
  packages_->version = "3-1";
  const auto refused = step->undo(host_, captured, backups_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy);
  EXPECT_EQ(packages_->version, "3-1");
}

TEST_F(PackageSteps, PinAndRestoreThePin) {
  for (const bool before : {false, true}) {
    packages_->pin = before;
    const auto step = make(package_pin("a", "mdatp", true));
    const auto captured = step->capture(host_, backups_).value();
    ASSERT_TRUE(step->apply(host_, captured).ok());
    EXPECT_TRUE(step->done(host_).value());
    ASSERT_TRUE(step->undo(host_, captured, backups_).ok());
    EXPECT_EQ(packages_->pin, before);
  }
}

TEST_F(PackageSteps, RefuseWhatTheyDoNotKnow) {
  EXPECT_FALSE(make_step({.id = "a", .type = "package-version", .parameters = {{"package", "mdatp"}}}).ok());
  EXPECT_FALSE(
      make_step({.id = "a", .type = "package-pin", .parameters = {{"package", "m"}, {"x", 1}}}).ok());
  packages_->version.reset();
  EXPECT_EQ(make(package_version("a", "mdatp", "1-1"))->capture(host_, backups_).error().code(),
            base::Errc::not_found);
}

}  // namespace
}  // namespace auditshift::migrate::change
