// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/package_versions.h"

#include <algorithm>

namespace auditshift::migrate::outside {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view take(std::string_view& from, bool (*belongs)(char)) {
  std::size_t length = 0;
  while (length < from.size() && belongs(from[length])) ++length;
  const std::string_view taken = from.substr(0, length);
  from.remove_prefix(length);
  return taken;
}

void skip_separators(std::string_view& text) {
  while (!text.empty() && !is_digit(text[0]) && !is_letter(text[0]) && text[0] != '~' && text[0] != '^')
    text.remove_prefix(1);
}

std::strong_ordering compare_numbers(std::string_view left, std::string_view right) {
  left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
  right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
  if (left.size() != right.size()) return left.size() <=> right.size();
  return left.compare(right) <=> 0;
}

/// rpm's rpmvercmp: runs of digits and of letters in turn; '~' is older than nothing, '^' newer than nothing.
std::strong_ordering compare_part(std::string_view left, std::string_view right) {
  using std::strong_ordering;
  while (!left.empty() || !right.empty()) {
    skip_separators(left);
    skip_separators(right);
    for (const char mark : {'~', '^'}) {
      const bool in_left = left.starts_with(mark);
      const bool in_right = right.starts_with(mark);
      if (!in_left && !in_right) continue;
      if (in_left && in_right) break;
      if (mark == '~') return in_left ? strong_ordering::less : strong_ordering::greater;
      if (left.empty() || right.empty())
        return left.empty() ? strong_ordering::less : strong_ordering::greater;
      return in_left ? strong_ordering::less : strong_ordering::greater;
    }
    if (!left.empty() && !right.empty() && left[0] == right[0] && (left[0] == '~' || left[0] == '^')) {
      left.remove_prefix(1);
      right.remove_prefix(1);
      continue;
    }
    if (left.empty() || right.empty()) break;
    const bool number = is_digit(left[0]);
    if (number != is_digit(right[0])) return number ? strong_ordering::greater : strong_ordering::less;
    const std::string_view one = take(left, number ? is_digit : is_letter);
    const std::string_view other = take(right, number ? is_digit : is_letter);
    const auto order = number ? compare_numbers(one, other) : one.compare(other) <=> 0;
    if (order != 0) return order;
  }
  return left.size() <=> right.size();  // one of them is empty
}

struct Parts {
  std::string_view epoch = "0";
  std::string_view version;
  std::string_view release;
};

Parts parts_of(std::string_view text) {
  Parts parts;
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const std::size_t dash = text.rfind('-');
  parts.version = text.substr(0, dash);
  if (dash != std::string_view::npos) parts.release = text.substr(dash + 1);
  return parts;
}

}  // namespace

std::strong_ordering compare_rpm(std::string_view left, std::string_view right) {
  const Parts one = parts_of(left);
  const Parts other = parts_of(right);
  if (const auto order = compare_part(one.epoch, other.epoch); order != 0) return order;
  if (const auto order = compare_part(one.version, other.version); order != 0) return order;
  return compare_part(one.release, other.release);
}

std::optional<std::string> find_build(const std::vector<std::string>& available, const BuildVersion& build) {
  std::optional<std::string> near;
  BuildVersion near_build;
  for (const std::string& version : available) {
    const auto offered = BuildVersion::parse(version);
    if (!offered) continue;
    if (*offered == build) return version;
    const bool same_cut = offered->line == build.line && offered->cut == build.cut;
    const bool stands_for = build.build == 0 || (build.build == 1 && offered->build == 0);
    if (!same_cut || !stands_for || (near && near_build < *offered)) continue;
    near = version;
    near_build = *offered;
  }
  return near;
}

}  // namespace auditshift::migrate::outside
