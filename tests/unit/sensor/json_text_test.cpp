// SPDX-License-Identifier: Apache-2.0
#include "sensor/json_text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/clock.h"
#include "base/json.h"

namespace auditshift::sensor {
namespace {

std::string quoted(std::string_view text, bool expect_escaped = false) {
  TextBuffer out;
  EXPECT_EQ(append_json_string(out, text), expect_escaped) << text;
  return std::string(out.view());
}

/// What a reader does with a string that was marked as escaped.
std::string unescape_bytes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.substr(0, 2) == "\\\\") {
      out += '\\';
      text.remove_prefix(2);
    } else if (text.substr(0, 2) == "\\x") {
      out += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
      text.remove_prefix(4);
    } else {
      out += text[0];
      text.remove_prefix(1);
    }
  }
  return out;
}

TEST(JsonString, EscapesWhatJsonAndTerminalsNeed) {
  EXPECT_EQ(quoted("plain text"), R"("plain text")");
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(quoted("tab\tline\nreturn\r"), R"("tab\tline\nreturn\r")");
  EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(quoted("\xc2\x9b \xe2\x80\xae \xe2\x80\xa8"), R"("\u009b \u202e \u2028")");
  EXPECT_EQ(quoted("\xf3\xa0\x80\x81"), R"("\udb40\udc01")") << "a tag character, unseen, beyond 16 bits";
}

TEST(JsonString, WritesBytesThatAreNoUtf8SoThatTheyCanBeTold) {
  EXPECT_EQ(quoted("a\xff", true), R"("a\\xff")");
  EXPECT_EQ(quoted("\\xff\xff", true), R"("\\\\xff\\xff")") << "a backslash is doubled";
  EXPECT_EQ(quoted("\xed\xa0\x80", true), R"("\\xed\\xa0\\x80")") << "a surrogate is no character";
  EXPECT_EQ(quoted("\xc0\xaf", true), R"("\\xc0\\xaf")") << "an overlong form is none either";
  EXPECT_EQ(quoted("\xe2\x82", true), R"("\\xe2\\x82")") << "cut off";
}

TEST(JsonString, AnyBytesComeBackExactly) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> length(0, 40);
  // Half of the time bytes that matter to the escaping.
  static constexpr std::string_view kSpecial = "\\x\"\xc3\xa4\xe2\x82\xac\x7f";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = length(random); i > 0; --i)
      text += random() % 2 == 0 ? kSpecial[random() % kSpecial.size()] : static_cast<char>(random());
    TextBuffer json;
    const bool escaped = append_json_string(json, text);
    const std::string back = base::Json::parse(json.view()).get<std::string>();
    ASSERT_EQ(escaped ? unescape_bytes(back) : back, text) << json.view();
  }
}

TEST(TimeText, IsRfc3339InUtc) {
  TimeText time;
  const auto text = [&](std::int64_t ns) {
    TextBuffer out;
    time.append(out, ns);
    return std::string(out.view());
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(text(1'795'248'000'123'456'789), "2026-11-21T08:00:00.123456789Z");
  EXPECT_EQ(text(1'795'248'000'999'999'999), "2026-11-21T08:00:00.999999999Z");
  EXPECT_EQ(text(951'782'400'000'000'001), "2000-02-29T00:00:00.000000001Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999999999Z") << "a clock that was never set";
}

}  // namespace
}  // namespace auditshift::sensor
