// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// auditctl reads lines into a buffer of 6,144 bytes; a longer line goes on as the next line.
inline constexpr std::size_t kLineLimit = 6143;

/// One piece of a rules file that auditctl takes for a line.
struct RawLine {
  std::string_view text;   ///< without the line feed
  int number = 0;          ///< of the physical line, from 1
  std::size_t column = 0;  ///< bytes of the physical line before this piece
  bool cut = false;        ///< the physical line goes on
};
std::vector<RawLine> split_lines(std::string_view text);

/// One word of a line, as auditctl's option parser sees it.
struct Token {
  std::string text;        ///< escapes resolved
  std::size_t offset = 0;  ///< of its first byte in the line
};

/// The part of a line that auditctl sees: a NUL byte ends it.
std::string_view visible_part(std::string_view line);
LineKind kind_of_line(std::string_view line);

struct Tokens {
  std::vector<Token> tokens;
  std::size_t dropped = 0;  ///< words at the end for which auditctl has no room (before audit 4.2)
};

/// Splits a line at the byte 0x20, resolving `\ ` and `\\` in all words but the first, as auditctl does.
Tokens split_tokens(std::string_view line);

}  // namespace auditshift::auditd
