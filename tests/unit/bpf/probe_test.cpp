// SPDX-License-Identifier: Apache-2.0
#include "bpf/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace auditshift::bpf {
namespace {

using testing::Each;
using testing::Field;
using testing::IsEmpty;

std::vector<ProbeResult> answers(const std::vector<std::string_view>& features, ProbeResult::Support ok) {
  std::vector<ProbeResult> results;
  for (const std::string_view feature : features) results.push_back({std::string(feature), ok, "test"});
  return results;
}

std::vector<ProbeResult> operator+(std::vector<ProbeResult> left, const std::vector<ProbeResult>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(ChooseTier, TakesTheBestOneWhoseFeaturesAllWork) {
  const auto fentry = answers(required_features(Tier::fentry), ProbeResult::yes);
  const auto core = answers(required_features(Tier::core), ProbeResult::yes);
  const auto legacy = answers(required_features(Tier::legacy), ProbeResult::yes);
  const auto netlink = answers(required_features(Tier::netlink), ProbeResult::yes);
  EXPECT_EQ(choose_tier(fentry + legacy + netlink), Tier::core) << "fentry is taken by name alone";
  EXPECT_EQ(choose_tier(core + legacy + netlink), Tier::core);
  EXPECT_EQ(choose_tier(legacy + netlink), Tier::legacy);
  EXPECT_EQ(choose_tier(netlink), Tier::netlink);
  EXPECT_EQ(choose_tier({}), Tier::none);
}

TEST(ChooseTier, EachMissingFeatureOfCoreStepsDown) {
  const auto below = answers(required_features(Tier::netlink), ProbeResult::yes);
  for (const auto& feature : required_features(Tier::core)) {
    for (const auto support : {ProbeResult::no, ProbeResult::unknown}) {
      auto results = answers(required_features(Tier::core), ProbeResult::yes) + below;
      for (auto& result : results) {
        if (result.feature == feature) result.ok = support;
      }
      EXPECT_EQ(choose_tier(results), Tier::netlink) << feature;
      const auto missing = missing_features(results, Tier::core);
      ASSERT_EQ(missing.size(), 1U) << feature;
      EXPECT_EQ(missing[0].feature, feature);
      EXPECT_EQ(missing[0].ok, support);
    }
  }
}

TEST(MissingFeatures, WhatWasNotProbedIsUnknown) {
  const auto missing = missing_features({}, Tier::netlink);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0], (ProbeResult{"process_connector", ProbeResult::unknown, "not probed"}));
  EXPECT_THAT(missing_features({}, Tier::none), IsEmpty());
}

TEST(TierName, NamesEach) {
  EXPECT_EQ(tier_name(Tier::fentry), "fentry");
  EXPECT_EQ(tier_name(Tier::core), "core");
  EXPECT_EQ(tier_name(Tier::legacy), "legacy");
  EXPECT_EQ(tier_name(Tier::netlink), "netlink");
  EXPECT_EQ(tier_name(Tier::none), "none");
}

/// A captured host in a temporary directory.
class CapturedHost : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "auditshift-probe-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, std::string_view text) {
    const auto file = root_ / path.substr(1);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  ProbeResult probe(std::string_view feature, std::set<std::string, std::less<>> masked = {}) {
    const auto host = base::Sysroot::open(root_.string());
    EXPECT_TRUE(host.ok());
    for (const ProbeResult& result : KernelProbe(*host, std::move(masked)).run()) {
      if (result.feature == feature) return result;
    }
    ADD_FAILURE() << feature << " is not probed";
    return {};
  }

  std::filesystem::path root_;
};

TEST_F(CapturedHost, LockdownIsReadFromItsFile) {
  EXPECT_EQ(probe("lockdown").ok, ProbeResult::unknown);
  write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(probe("lockdown"), (ProbeResult{"lockdown", ProbeResult::yes, "none"}));
  write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(probe("lockdown"), (ProbeResult{"lockdown", ProbeResult::no, "integrity"}));
  write("/sys/kernel/security/lockdown", "]none[\n");
  EXPECT_EQ(probe("lockdown").ok, ProbeResult::unknown);
}

TEST_F(CapturedHost, TheRunningKernelIsNotAskedForIt) {
  const auto host = base::Sysroot::open(root_.string());
  ASSERT_TRUE(host.ok());
  KernelProbe probe(*host);
  const auto results = probe.run();
  EXPECT_EQ(results.size(), 14U);
  EXPECT_THAT(results, Each(Field(&ProbeResult::ok, ProbeResult::unknown)));
  EXPECT_EQ(choose_tier(results), Tier::none);
  EXPECT_EQ(probe.run(), results);
}

TEST_F(CapturedHost, MaskedFeaturesAnswerNo) {
  write("/sys/kernel/btf/vmlinux", "");
  EXPECT_EQ(probe("btf").ok, ProbeResult::yes);
  EXPECT_EQ(probe("btf", {"btf"}), (ProbeResult{"btf", ProbeResult::no, "masked by option"}));
}

}  // namespace
}  // namespace auditshift::bpf
