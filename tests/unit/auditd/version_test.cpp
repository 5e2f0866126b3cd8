// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "auditd/rule.h"

namespace auditshift::auditd {
namespace {

std::string read(std::string_view text) {
  const auto version = AuditVersion::parse(text);
  return version ? version->to_string() : "none";
}

TEST(AuditVersion, ReadsPackageVersions) {
  EXPECT_EQ(read("3.0.9"), "3.0.9");
  EXPECT_EQ(read("1:3.0.9-1"), "3.0.9");
  EXPECT_EQ(read("4.0.2-2ubuntu1"), "4.0.2");
  EXPECT_EQ(read("3.1.5-4.el9"), "3.1.5");
  EXPECT_EQ(read("4.2"), "4.2.0");
  EXPECT_EQ(read("4"), "4.0.0");
}

TEST(AuditVersion, RefusesWhatIsNone) {
  for (const char* text : {"", "x", "3.", "3.x", "-3", ":", "99999999999999"})
    EXPECT_EQ(read(text), "none") << text;
}

TEST(AuditVersion, IsOrdered) {
  EXPECT_LT((AuditVersion{3, 0, 9}), (AuditVersion{3, 1, 0}));
  EXPECT_LT((AuditVersion{3, 1, 5}), (AuditVersion{4, 0, 0}));
}

}  // namespace
}  // namespace auditshift::auditd
