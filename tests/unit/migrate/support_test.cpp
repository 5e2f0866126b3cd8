// SPDX-License-Identifier: Apache-2.0
#include "migrate/support.h"

#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

struct Case {
  const char* id;
  const char* version;
  const char* kernel;
  Support expected;
};

TEST(Support, FollowsTheVendorsTable) {
  const Case cases[] = {
      {"ubuntu", "16.04", "4.15.0-142-generic", Support::supported},
      {"ubuntu", "16.04", "4.4.0-210-generic", Support::netlink_only},
      {"ubuntu", "14.04", "4.15.0", Support::unsupported},
      {"ubuntu", "24.04", "6.8.0-31-generic", Support::supported},
      {"fedora", "33", "5.8.15-301.fc33.x86_64", Support::supported},
      {"fedora", "33", "5.8.14-300.fc33.x86_64", Support::netlink_only},
      {"centos", "7.6", "3.10.0-957.10.1.el7.x86_64", Support::supported},
      {"centos", "7.6", "3.10.0-957.1.3.el7.x86_64", Support::netlink_only},
      {"rhel", "7.5", "3.10.0-862.el7.x86_64", Support::netlink_only},
      {"rhel", "7.2", "3.10.0-327.el7.x86_64", Support::netlink_only},
      {"rhel", "7.1", "3.10.0-229.el7.x86_64", Support::unsupported},
      {"rhel", "6.10", "2.6.32-754.el6.x86_64", Support::unsupported},
      {"rhel", "9.4", "5.14.0-427.13.1.el9_4.x86_64", Support::supported},
      {"rhel", "10.0", "6.12.0-55.el10.x86_64", Support::supported},
      {"sles", "12.5", "4.12.14-122.179-default", Support::netlink_only},
      {"sles", "15.3", "5.3.18-150300.59.43-default", Support::supported},
      {"sles", "15.1", "4.12.14-197.4-default", Support::netlink_only},
      {"debian", "12.11", "6.1.0-23-amd64", Support::supported},
      {"debian", "8", "4.19.0", Support::unsupported},
      {"ol", "7.9", "3.10.0-1160.el7.x86_64", Support::supported},
      {"ol", "7.9", "5.4.17-2136.el7uek.x86_64", Support::supported},
      {"ol", "7.9", "4.14.35-2047.el7uek.x86_64", Support::netlink_only},
      {"amzn", "2", "5.4.261-174.360.amzn2.x86_64", Support::supported},
      {"amzn", "2", "4.14.355-275.570.amzn2.x86_64", Support::netlink_only},
      {"amzn", "2023", "6.1.79-99.164.amzn2023.x86_64", Support::supported},
      {"rocky", "8.7", "4.18.0-425.3.1.el8.x86_64", Support::supported},
      {"rocky", "8.6", "4.18.0-372.9.1.el8.x86_64", Support::unsupported},
      {"rocky", "9.2", "5.14.0-284.11.1.el9_2.x86_64", Support::supported},
      {"rocky", "9.1", "5.14.0-162.6.1.el9_1.x86_64", Support::unsupported},
      {"almalinux", "8.4", "4.18.0-305.el8.x86_64", Support::supported},
      {"almalinux", "9.4", "5.14.0-427.el9.x86_64", Support::supported},
      {"arch", "", "6.9.1-arch1-1", Support::unlisted},
      {"debian", "12", "", Support::unlisted},
  };
  for (const Case& c : cases)
    EXPECT_EQ(support_of(c.id, c.version, c.kernel).support, c.expected)
        << c.id << " " << c.version << " " << c.kernel;
}

TEST(Support, NamesTheRowItWasMeasuredBy) {
  const SupportAnswer answer = support_of("rhel", "7.4", "3.10.0-693.el7.x86_64");
  EXPECT_EQ(answer.row, "RHEL 7.6, kernel 3.10.0-957.10");
  EXPECT_EQ(answer.reason,
            "RHEL 7.4 is below the eBPF minimum 7.6; the agent falls back to Netlink there, with process "
            "events only");
}

TEST(NumericVersion, StopsAtTheFirstWord) {
  EXPECT_EQ(NumericVersion::parse("4.18.0-425.3.1.el8.x86_64").parts,
            (std::vector<unsigned long>{4, 18, 0, 425, 3, 1}));
  EXPECT_TRUE(NumericVersion::parse("").empty());
  EXPECT_TRUE(NumericVersion::parse("rolling").empty());
  EXPECT_EQ(NumericVersion::parse("5.4") <=> NumericVersion::parse("5.4.0"), std::strong_ordering::equal);
}

}  // namespace
}  // namespace auditshift::migrate
