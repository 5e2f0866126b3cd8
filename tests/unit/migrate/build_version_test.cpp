// SPDX-License-Identifier: Apache-2.0
#include "migrate/build_version.h"

#include <gtest/gtest.h>

namespace auditshift::migrate {
namespace {

TEST(BuildVersion, ReadsWhatPackagersAndTheProductWrite) {
  for (const char* text : {"101.24082.0004", "101.24082.0004-1", "101.24082.0004-insiderfast",
                           "101.24082.0004_external-1", "1:101.24082.0004"}) {
    const auto version = BuildVersion::parse(text);
    ASSERT_TRUE(version) << text;
    EXPECT_EQ(version->to_string(), "101.24082.0004") << text;
  }
}

TEST(BuildVersion, ReadsTheFourDigitSpellingOfTheDocuments) {
  EXPECT_EQ(BuildVersion::parse("101.2408.0004"), BuildVersion::parse("101.24082.0004"));
  EXPECT_GT(*BuildVersion::parse("101.2408.0000"), *BuildVersion::parse("101.24072.0001"));
}

TEST(BuildVersion, ComparesNumbersNotText) {
  EXPECT_LT(*BuildVersion::parse("101.98.89"), *BuildVersion::parse("101.23052.0009"));
  EXPECT_LT(*BuildVersion::parse("101.23082.0009"), *BuildVersion::parse("101.23082.0011"));
  EXPECT_EQ(*BuildVersion::parse("101.23082.9"), *BuildVersion::parse("101.23082.0009"));
}

TEST(BuildVersion, RefusesWhatIsNoBuild) {
  for (const char* text : {"", "101", "101.24082", "a.b.c", "101.24082.0004x", "101..4", "101.99999999999.1"})
    EXPECT_FALSE(BuildVersion::parse(text)) << text;
}

}  // namespace
}  // namespace auditshift::migrate
