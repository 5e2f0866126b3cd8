// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace auditshift::base {
namespace {

TEST(Printable, MakesTerminalControlsVisible) {
  EXPECT_EQ(printable("key\x1b[2Jx"), "key\\x1b[2Jx");
  EXPECT_EQ(printable("tab\tnew\nline\r"), "tab\\x09new\\x0aline\\x0d");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"), "\\u{9b}");  // the one-byte CSI in UTF-8
}

TEST(Printable, MakesReorderingAndHiddenCharactersVisible) {
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u{202e}b");
  EXPECT_EQ(printable("a\xe2\x80\x8b"
                      "b"),
            "a\\u{200b}b");
}

TEST(Printable, KeepsLettersOfAllLanguagesAndMarksBrokenBytes) {
  EXPECT_EQ(printable("größe/日本"), "größe/日本");
  EXPECT_EQ(printable("\xff\xc3(\xe2\x82"), "\\xff\\xc3(\\xe2\\x82");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate is no UTF-8
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong slash
}

TEST(Utf8, ReplacesOnlyWhatIsBroken) {
  EXPECT_TRUE(is_utf8("größe"));
  EXPECT_FALSE(
      is_utf8("gr\xf6\xdf"
              "e"));
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            "a\xef\xbf\xbd"
            "b");
}

TEST(Nearest, FindsTheMeantWordAndNothingFarAway) {
  EXPECT_EQ(nearest("renameta", {"renameat", "rename", "openat"}), "renameat");
  EXPECT_EQ(nearest("asess", {"assess", "rules"}), "assess");
  EXPECT_EQ(nearest("EXECVE", {"execve"}), "execve");
  EXPECT_EQ(nearest("zzz", {"execve", "openat"}), std::nullopt);
}

TEST(Wrap, BreaksAtWordsAndIndentsLaterLines) {
  EXPECT_EQ(wrap("one two three four", 11, 2), "one two\n  three\n  four");
  EXPECT_EQ(wrap("averyveryverylongword x", 5, 1), "averyveryverylongword\n x");
}

TEST(Numbers, ReadLikeAPersonWritesThem) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(count_of(1, "entry", "entries"), "1 entry");
  EXPECT_EQ(count_of(2, "entry", "entries"), "2 entries");
  EXPECT_EQ(count_of(1000, "rule"), "1,000 rules");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
}

TEST(ParseDecimal, TakesWholeNumbersOnly) {
  EXPECT_EQ(parse_decimal("42"), 42U);
  EXPECT_EQ(parse_decimal(""), std::nullopt);
  EXPECT_EQ(parse_decimal("4x"), std::nullopt);
  EXPECT_EQ(parse_decimal("-1"), std::nullopt);
  EXPECT_EQ(parse_decimal("99999999999999999999"), std::nullopt);
}

TEST(Base64, MatchesTheExamplesOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(Trim, RemovesWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

}  // namespace
}  // namespace auditshift::base
