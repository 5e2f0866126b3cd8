// SPDX-License-Identifier: Apache-2.0
#include "auditd/tokens.h"

#include <gmock/gmock.h>

namespace auditshift::auditd {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> texts;
  for (const Token& token : split_tokens(line).tokens) texts.push_back(token.text);
  return texts;
}

TEST(Tokens, OnlyTheBlankSeparates) {
  EXPECT_THAT(words("  -w   /etc/passwd -p wa "), ElementsAre("-w", "/etc/passwd", "-p", "wa"));
  EXPECT_THAT(words("-w /etc/passwd\t-p"), ElementsAre("-w", "/etc/passwd\t-p"));
  EXPECT_THAT(words("-k id\r"), ElementsAre("-k", "id\r"));
}

TEST(Tokens, KnowTwoEscapesAndNoQuotes) {
  EXPECT_THAT(words("-w /my\\ dir"), ElementsAre("-w", "/my dir"));
  EXPECT_THAT(words("-w /my\\\\ dir"), ElementsAre("-w", "/my\\", "dir"));
  EXPECT_THAT(words("-w /etc/a\\b \\"), ElementsAre("-w", "/etc/a\\b", "\\"));
  EXPECT_THAT(words("-w \"/my dir\""), ElementsAre("-w", "\"/my", "dir\""));
}

TEST(Tokens, LeaveTheFirstWordsEscapesAsMarks) {
  EXPECT_THAT(words("-w/my\\ dir -p wa"), ElementsAre("-w/my\x07\x07"
                                                      "dir",
                                                      "-p", "wa"));
}

TEST(Tokens, TakeMarkBytesInTheFileForEscapes) {
  EXPECT_THAT(words("-w /x\x07yz"), ElementsAre("-w", "/x z"));
  EXPECT_THAT(words("-w /x\x04"), ElementsAre("-w", "/x\\"));
}

TEST(Tokens, EndAtANulByte) { EXPECT_THAT(words(std::string_view("-D\0 -k x", 8)), ElementsAre("-D")); }

TEST(Tokens, RemindOfTheirPlace) {
  const std::vector<Token> tokens = split_tokens(" -w  /my\\ dir -p").tokens;
  ASSERT_EQ(tokens.size(), 3U);
  EXPECT_EQ(tokens[0].offset, 1U);
  EXPECT_EQ(tokens[1].offset, 5U);
  EXPECT_EQ(tokens[2].offset, 14U);
}

TEST(Tokens, AreFewerThanTheBytesOfADenseLineBegin) {
  // auditctl reserves length / 3 + 3 places, two of them for the program's name and the end.
  const Tokens tokens = split_tokens("a b c d e f g h i j");
  EXPECT_EQ(tokens.tokens.size(), 7U);
  EXPECT_EQ(tokens.dropped, 3U);
}

TEST(Lines, AreBlankCommentOrStatement) {
  EXPECT_EQ(kind_of_line(""), LineKind::blank);
  EXPECT_EQ(kind_of_line("   "), LineKind::blank);
  EXPECT_EQ(kind_of_line("\t"), LineKind::statement);
  EXPECT_EQ(kind_of_line("\r"), LineKind::statement);
  EXPECT_EQ(kind_of_line("  # x"), LineKind::comment);
  EXPECT_EQ(kind_of_line("\t# x"), LineKind::statement);
  EXPECT_EQ(kind_of_line("-D # x"), LineKind::statement);
}

struct Piece {
  std::size_t length;
  int number;
  std::size_t column;
  bool cut;
  bool operator==(const Piece&) const = default;
};
void PrintTo(const Piece& piece, std::ostream* out) {
  *out << piece.length << " bytes of line " << piece.number << " from " << piece.column
       << (piece.cut ? ", cut" : "");
}

std::vector<Piece> pieces(const std::string& text) {
  std::vector<Piece> result;
  for (const RawLine& line : split_lines(text)) {
    result.push_back({line.text.size(), line.number, line.column, line.cut});
  }
  return result;
}

TEST(Lines, AreCutAt6143Bytes) {
  const std::string full(6143, 'x');
  EXPECT_THAT(pieces("a\nbc"), ElementsAre(Piece{1, 1, 0, false}, Piece{2, 2, 0, false}));
  EXPECT_THAT(pieces("a\n\n"), ElementsAre(Piece{1, 1, 0, false}, Piece{0, 2, 0, false}));
  EXPECT_THAT(pieces(std::string(6142, 'x') + "\n"), ElementsAre(Piece{6142, 1, 0, false}));
  EXPECT_THAT(pieces(full), ElementsAre(Piece{6143, 1, 0, false}));
  EXPECT_THAT(pieces(full + "\ny"),
              ElementsAre(Piece{6143, 1, 0, true}, Piece{0, 1, 6143, false}, Piece{1, 2, 0, false}));
  EXPECT_THAT(pieces(full + "-D\n-D"),
              ElementsAre(Piece{6143, 1, 0, true}, Piece{2, 1, 6143, false}, Piece{2, 2, 0, false}));
  EXPECT_THAT(pieces(full + full + "y"),
              ElementsAre(Piece{6143, 1, 0, true}, Piece{6143, 1, 6143, true}, Piece{1, 1, 12286, false}));
  EXPECT_THAT(pieces(""), ElementsAre());
}

}  // namespace
}  // namespace auditshift::auditd
