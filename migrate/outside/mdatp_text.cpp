// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "base/text.h"
#include "migrate/outside/mdatp_agent.h"

namespace auditshift::migrate::outside {
namespace {

/// "name : 10" of a list; the name may hold colons.
struct Row {
  std::string_view name;
  std::uint64_t count = 0;
};

std::optional<Row> row_of(std::string_view line) {
  const std::size_t colon = line.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto count = base::parse_decimal(base::trim(line.substr(colon + 1)));
  if (!count) return std::nullopt;
  return Row{base::trim(line.substr(0, colon)), *count};
}

bool names(std::string_view path, std::string_view wanted) {
  return path == wanted ||
         (path.size() > wanted.size() && path.starts_with(wanted) && path[wanted.size()] == '/');
}

}  // namespace

std::string parse_field_answer(std::string_view text) {
  std::string_view last;
  for (const std::string_view line : base::split(text, '\n'))
    if (!base::trim(line).empty()) last = base::trim(line);
  if (last.starts_with("ATTENTION:")) return {};
  if (last.ends_with("[managed]")) last = base::trim(last.substr(0, last.size() - 9));
  if (last.size() >= 2 && last.front() == '"' && last.back() == '"') last = last.substr(1, last.size() - 2);
  return std::string(last);
}

std::optional<std::uint64_t> find_in_statistics(std::string_view text, std::string_view section,
                                                std::string_view name) {
  std::optional<std::uint64_t> found;
  bool inside = false;
  for (const std::string_view raw : base::split(text, '\n')) {
    const std::string_view line = base::trim(raw);
    if (line.starts_with("Top ")) {
      inside = line.starts_with(section);
      continue;
    }
    if (!inside) continue;
    if (const auto row = row_of(line); row && names(row->name, name)) found = found.value_or(0) + row->count;
  }
  return found;
}

std::optional<std::uint64_t> sum_of_counters(std::string_view text) {
  std::optional<std::uint64_t> sum;
  for (const std::string_view line : base::split(text, '\n'))
    if (const auto row = row_of(base::trim(line)); row && !row->name.empty())
      sum = sum.value_or(0) + row->count;
  return sum;
}

}  // namespace auditshift::migrate::outside
