// SPDX-License-Identifier: Apache-2.0
// A kernel whose audit configuration is locked. Locking lasts until the next boot, so these tests never do
// it: they run where it was done, in the virtual machine of `./dev vm immutable-assess`.
#include <gtest/gtest.h>

#include "auditd/kernel.h"

namespace auditshift::auditd {
namespace {

Rule harmless_rule() {
  const Line line =
      parse_line("-a always,exit -F arch=b64 -S acct -F uid=4294967290 -k auditshift-test", {}, {});
  return line.rule.value();
}

class ImmutableAudit : public testing::Test {
 protected:
  void SetUp() override {
    const AuditStatus status = kernel_.status();
    if (status.state != AuditState::immutable)
      GTEST_SKIP() << "audit is " << to_string(status.state) << " here, not immutable " << status.reason;
    before_ = kernel_.rules();
    ASSERT_TRUE(before_.known) << before_.reason;
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(texts(kernel_.rules()), texts(before_));
  }

  static std::vector<std::string> texts(const LiveRules& live) {
    std::vector<std::string> texts;
    for (const Rule& rule : live.rules) texts.push_back(rule.text);
    return texts;
  }
  static void expect_refusal(const base::Result<void>& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), base::Errc::permission) << result.error().message();
    EXPECT_NE(result.error().hint().find("reboot"), std::string::npos) << result.error().hint();
    std::printf("%s (hint: %s)\n", result.error().message().c_str(), result.error().hint().c_str());
  }

  LiveKernelAudit kernel_{ParseOptions{}};
  LiveRules before_;
};

TEST_F(ImmutableAudit, RefusesANewRuleAndSaysThatARebootIsNeeded) {
  expect_refusal(kernel_.add(harmless_rule()));
}

TEST_F(ImmutableAudit, RefusesToRemoveEachRuleItHolds) {
  ASSERT_FALSE(before_.rules.empty());
  for (const Rule& rule : before_.rules) expect_refusal(kernel_.remove(rule));
}

}  // namespace
}  // namespace auditshift::auditd
