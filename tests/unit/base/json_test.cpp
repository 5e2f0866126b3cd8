// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include "base/json_number.h"

namespace auditshift::base {
namespace {

TEST(DumpJson, KeepsTheOrderOfKeys) {
  Json value;
  value["zebra"] = 1;
  value["apple"] = {{"b", true}, {"a", nullptr}};
  EXPECT_EQ(dump_json(value, JsonStyle::compact), "{\"zebra\":1,\"apple\":{\"b\":true,\"a\":null}}\n");
  EXPECT_EQ(dump_json(value, JsonStyle::pretty),
            "{\n  \"zebra\": 1,\n  \"apple\": {\n    \"b\": true,\n    \"a\": null\n  }\n}\n");
}

TEST(DumpJson, NeverFailsOnBytesThatAreNoUtf8) {
  const Json value = {{"key",
                       "a\xff"
                       "b"}};
  EXPECT_EQ(dump_json(value, JsonStyle::compact),
            "{\"key\":\"a\xef\xbf\xbd"
            "b\"}\n");
}

TEST(ParseJson, GivesBackWhatWasDumped) {
  const auto value = parse_json("{\"b\": [1, 2.5, \"x\"], \"a\": {}}", "test");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(dump_json(*value, JsonStyle::compact), "{\"b\":[1,2.5,\"x\"],\"a\":{}}\n");
}

TEST(ParseJson, NamesDocumentLineAndColumn) {
  const auto missing = parse_json("{\n  \"a\": ,\n}", "managed.json");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Errc::invalid);
  EXPECT_EQ(missing.error().message().rfind("managed.json:2:8: not valid JSON: ", 0), 0U)
      << missing.error().message();
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{'a':1}", "nul", "{\"a\":1} x", "\"\x01\"", "\"\xff\""})
    EXPECT_FALSE(parse_json(text, "x").ok()) << text;
}

TEST(ParseJson, RefusesANumberBeyondAllLimits) { EXPECT_FALSE(parse_json("[1e4444]", "big").ok()); }

TEST(ParseJson, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(parse_json(nested(200), "x").ok());
  const auto refused = parse_json(nested(201), "x");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "x:1:201: nested more than 200 levels deep");
  // Brackets side by side are no depth, brackets in text are none either.
  EXPECT_TRUE(parse_json("[\"\\\"" + std::string(1000, '[') + "\"]", "x").ok());
  std::string flat = "[0";
  for (int i = 0; i < 1000; ++i) flat += ",[],{}";
  EXPECT_TRUE(parse_json(flat + "]", "x").ok());
}

TEST(WholeNumber, IsOneThatFits) {
  EXPECT_EQ(whole_number<std::uint64_t>(Json(18446744073709551615U)), 18446744073709551615U);
  EXPECT_EQ(whole_number<int>(Json(-7)), -7);
  EXPECT_EQ(whole_number<std::uint8_t>(Json(255)), 255);
  for (const Json& wrong : {Json(256), Json(-1), Json(1.0), Json(1e96), Json("1"), Json(true), Json()})
    EXPECT_THROW(whole_number<std::uint8_t>(wrong), Json::exception) << wrong;
}

}  // namespace
}  // namespace auditshift::base
