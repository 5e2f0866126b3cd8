// SPDX-License-Identifier: Apache-2.0
#include "base/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/text.h"

namespace auditshift::base {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;
/// Cells of the table that finds the longest common part; beyond it the whole middle counts as changed.
constexpr std::size_t kMaximumCells = std::size_t{16} << 20;

/// Each with its newline, so that a missing last one is a difference.
Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

struct Edit {
  char sign;  ///< ' ', '-' or '+'
  std::string_view line;
};

/// Longest common subsequence of a[from, a_end) and b[from, b_end), by the textbook table.
void edit_middle(const Lines& a, const Lines& b, std::size_t from, std::size_t a_end, std::size_t b_end,
                 std::vector<Edit>& edits) {
  const std::size_t rows = a_end - from;
  const std::size_t columns = b_end - from;
  std::size_t i = 0;
  std::size_t j = 0;
  if (rows != 0 && columns != 0 && rows < kMaximumCells / columns) {
    std::vector<std::uint32_t> common((rows + 1) * (columns + 1), 0);
    const auto at = [&](std::size_t row, std::size_t column) -> std::uint32_t& {
      return common[row * (columns + 1) + column];
    };
    for (std::size_t r = rows; r-- > 0;)
      for (std::size_t c = columns; c-- > 0;)
        at(r, c) = a[from + r] == b[from + c] ? at(r + 1, c + 1) + 1 : std::max(at(r + 1, c), at(r, c + 1));
    while (i < rows && j < columns) {
      if (a[from + i] == b[from + j]) {
        edits.push_back({' ', a[from + i]});
        ++i, ++j;
      } else if (at(i + 1, j) >= at(i, j + 1)) {
        edits.push_back({'-', a[from + i++]});
      } else {
        edits.push_back({'+', b[from + j++]});
      }
    }
  }
  for (; i < rows; ++i) edits.push_back({'-', a[from + i]});
  for (; j < columns; ++j) edits.push_back({'+', b[from + j]});
}

std::vector<Edit> edits_between(const Lines& a, const Lines& b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t head = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < head; ++i) edits.push_back({' ', a[i]});
  edit_middle(a, b, head, a.size() - tail, b.size() - tail, edits);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) edits.push_back({' ', a[i]});
  return edits;
}

/// "3,2": first line and number of lines; an empty range names the line before it.
std::string range(std::size_t before, std::size_t count) {
  const std::string start = std::to_string(count == 0 ? before : before + 1);
  return count == 1 ? start : start + "," + std::to_string(count);
}

void print_hunk(const std::vector<Edit>& edits, std::size_t from, std::size_t to, std::size_t old_before,
                std::size_t new_before, std::string& text) {
  const auto count = [&](char other) {
    return static_cast<std::size_t>(std::count_if(edits.begin() + static_cast<std::ptrdiff_t>(from),
                                                  edits.begin() + static_cast<std::ptrdiff_t>(to),
                                                  [other](const Edit& edit) { return edit.sign != other; }));
  };
  text += "@@ -" + range(old_before, count('+')) + " +" + range(new_before, count('-')) + " @@\n";
  for (std::size_t i = from; i < to; ++i) {
    text += edits[i].sign;
    text += edits[i].line;
    if (!edits[i].line.ends_with('\n')) text += "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string unified_diff(std::string_view old_name, std::string_view new_name, std::string_view old_text,
                         std::string_view new_text) {
  if (old_text == new_text) return {};
  const auto binary = [](std::string_view text) {
    return text.find('\0') != std::string_view::npos || !is_utf8(text);
  };
  if (binary(old_text) || binary(new_text))
    return "Binary files " + std::string(old_name) + " and " + std::string(new_name) + " differ\n";
  const std::vector<Edit> edits = edits_between(lines_of(old_text), lines_of(new_text));
  std::string text = "--- " + std::string(old_name) + "\n+++ " + std::string(new_name) + "\n";

  std::size_t old_line = 0;  // lines of each text before edits[at]
  std::size_t new_line = 0;
  std::size_t at = 0;
  const auto pass = [&](std::size_t to) {
    for (; at < to; ++at) {
      if (edits[at].sign != '+') ++old_line;
      if (edits[at].sign != '-') ++new_line;
    }
  };
  const auto next_change = [&](std::size_t from) {
    while (from < edits.size() && edits[from].sign == ' ') ++from;
    return from;
  };
  for (std::size_t change = next_change(0); change < edits.size();) {
    const std::size_t from = std::max(at, change - std::min(change, kContext));
    std::size_t last = change;
    std::size_t following = next_change(change + 1);
    while (following < edits.size() && following - last <= 2 * kContext + 1) {
      last = following;
      following = next_change(last + 1);
    }
    const std::size_t to = std::min(edits.size(), last + 1 + kContext);
    pass(from);
    print_hunk(edits, from, to, old_line, new_line, text);
    pass(to);
    change = following;
  }
  return text;
}

}  // namespace auditshift::base
