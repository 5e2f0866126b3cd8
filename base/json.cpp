// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>

namespace auditshift::base {
namespace {

/// Deeper documents are refused: the library copies, compares and prints values by recursion.
constexpr std::size_t kDeepest = 200;

/// The place of the bracket that opens one level too many, or npos. Text in quotes is passed over.
std::size_t find_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return i;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// "NAME:LINE:COLUMN: " of a byte.
std::string place_of(std::string_view text, std::size_t at, std::string_view name) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = 1 + before.size() - (newline == std::string_view::npos ? 0 : newline + 1);
  return std::string(name) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

}  // namespace

std::string dump_json(const Json& value, JsonStyle style) {
  return value.dump(style == JsonStyle::pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Json> parse_json(std::string_view text, std::string_view name) {
  if (const std::size_t at = find_too_deep(text); at != std::string_view::npos)
    return Error(Errc::invalid,
                 place_of(text, at, name) + "nested more than " + std::to_string(kDeepest) + " levels deep");
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // The library counts bytes from 1; a person wants line and column.
    const std::size_t at = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    std::string why = error.what();
    if (const std::size_t colon = why.rfind(": "); colon != std::string::npos) why.erase(0, colon + 2);
    return Error(Errc::invalid, place_of(text, at, name) + "not valid JSON: " + why);
  } catch (const Json::exception& error) {  // a number beyond all limits
    std::string why = error.what();
    if (const std::size_t end = why.find("] "); end != std::string::npos) why.erase(0, end + 2);
    return Error(Errc::invalid, std::string(name) + ": not valid JSON: " + why);
  }
}

}  // namespace auditshift::base
