// SPDX-License-Identifier: Apache-2.0
#include "sensor/path.h"

#include <gtest/gtest.h>

#include <string>

namespace auditshift::sensor {
namespace {

using namespace std::string_view_literals;

std::string absolute(std::string_view path) {
  PathBuilder builder;
  builder.start_at_root();
  builder.add(path);
  return std::string(builder.text());
}

std::string joined(std::string_view components, std::string_view path, bool rootless = false) {
  PathBuilder builder;
  builder.start_at_components(components, rootless);
  builder.add(path);
  return std::string(builder.text());
}

TEST(PathBuilder, CleansLexically) {
  EXPECT_EQ(absolute("/"), "/");
  EXPECT_EQ(absolute(""), "/");
  EXPECT_EQ(absolute("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(absolute("/a/../b"), "/b");
  EXPECT_EQ(absolute("/../../a"), "/a");
  EXPECT_EQ(absolute("/a/b/../.."), "/");
  EXPECT_EQ(absolute("/..."), "/...");
  EXPECT_EQ(absolute("/a\n\x01\xff/b"), "/a\n\x01\xff/b");
}

TEST(PathBuilder, TurnsComponentsAround) {
  EXPECT_EQ(joined("c\0b\0a\0"sv, ""), "/a/b/c");
  EXPECT_EQ(joined(""sv, ""), "/");
  EXPECT_EQ(joined("b\0a\0"sv, "../x"), "/a/x");
  EXPECT_EQ(joined("b\0a\0"sv, "../../../x"), "/x");
  EXPECT_EQ(joined("b\0a"sv, "x"), "/a/b/x") << "a missing last NUL changes nothing";
}

TEST(PathBuilder, WithoutARootThereIsNoLeadingSlash) {
  EXPECT_EQ(joined("memfd:x\0"sv, "", true), "memfd:x");
  EXPECT_EQ(joined(""sv, "a/b", true), "a/b");
  EXPECT_EQ(joined(""sv, "", true), "");
  EXPECT_EQ(joined("a\0"sv, "../b", true), "b");
}

TEST(PathBuilder, SaysWhenSomethingDidNotFit) {
  PathBuilder builder;
  builder.start_at_root();
  const std::string name(255, 'n');
  for (int i = 0; i < 36; ++i) builder.add(name);
  EXPECT_FALSE(builder.cut());
  EXPECT_EQ(builder.text().size(), PathBuilder::kLimit);
  builder.add("x");
  EXPECT_TRUE(builder.cut());
  EXPECT_EQ(builder.text().size(), PathBuilder::kLimit);
  builder.start_at_root();
  EXPECT_FALSE(builder.cut());
}

}  // namespace
}  // namespace auditshift::sensor
