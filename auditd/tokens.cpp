// SPDX-License-Identifier: Apache-2.0
#include "auditd/tokens.h"

#include <algorithm>

namespace auditshift::auditd {
namespace {

// What auditctl puts in place of an escaped blank and an escaped backslash, both bytes of each.
constexpr char kBlankMark = 0x07;
constexpr char kBackslashMark = 0x04;

std::string mark_escapes(std::string_view line) {
  std::string marked(line);
  for (std::size_t i = 0; i + 1 < marked.size(); ++i) {
    if (marked[i] != '\\') continue;
    const char next = marked[i + 1];
    if (next == ' ' || next == '\\') marked[i] = marked[i + 1] = next == ' ' ? kBlankMark : kBackslashMark;
    ++i;
  }
  return marked;
}

/// A mark stands for two bytes. auditctl does not look at the second one, so a mark byte in the file itself
/// swallows the byte after it.
std::string resolve_marks(std::string_view marked) {
  std::string text;
  text.reserve(marked.size());
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (marked[i] == kBlankMark || marked[i] == kBackslashMark) {
      text.push_back(marked[i] == kBlankMark ? ' ' : '\\');
      ++i;
    } else {
      text.push_back(marked[i]);
    }
  }
  return text;
}

}  // namespace

std::vector<RawLine> split_lines(std::string_view text) {
  std::vector<RawLine> lines;
  int number = 1;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t feed = text.find('\n');
    const bool ends = feed != std::string_view::npos && feed < kLineLimit;
    const std::size_t length = ends ? feed : std::min(text.size(), kLineLimit);
    const bool cut = !ends && text.size() > length;
    lines.push_back({text.substr(0, length), number, column, cut});
    text.remove_prefix(ends ? length + 1 : length);
    column = cut ? column + length : 0;
    if (!cut) ++number;
  }
  return lines;
}

std::string_view visible_part(std::string_view line) { return line.substr(0, line.find('\0')); }

LineKind kind_of_line(std::string_view line) {
  const std::string_view visible = visible_part(line);
  const std::size_t first = visible.find_first_not_of(' ');
  if (first == std::string_view::npos) return LineKind::blank;
  return visible[first] == '#' ? LineKind::comment : LineKind::statement;
}

Tokens split_tokens(std::string_view line) {
  const std::string marked = mark_escapes(visible_part(line));
  // auditctl reserves this many words for a line of that length, the program's name included.
  const std::size_t room = marked.size() / 3 + 1;
  Tokens result;
  for (std::size_t begin = marked.find_first_not_of(' '); begin != std::string::npos;) {
    const std::size_t end = std::min(marked.find(' ', begin), marked.size());
    if (result.tokens.size() < std::max<std::size_t>(room, 1)) {
      const std::string_view word = std::string_view(marked).substr(begin, end - begin);
      result.tokens.push_back({result.tokens.empty() ? std::string(word) : resolve_marks(word), begin});
    } else {
      ++result.dropped;
    }
    begin = marked.find_first_not_of(' ', end);
  }
  return result;
}

}  // namespace auditshift::auditd
