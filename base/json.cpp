// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>

namespace auditshift::base {

std::string dump_json(const Json& value, JsonStyle style) {
  return value.dump(style == JsonStyle::pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Json> parse_json(std::string_view text, std::string_view name) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    // The library counts bytes from 1; a person wants line and column.
    const std::size_t at = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    const std::string_view before = text.substr(0, at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = 1 + before.size() - (newline == std::string_view::npos ? 0 : newline + 1);
    std::string why = error.what();
    if (const std::size_t colon = why.rfind(": "); colon != std::string::npos) why.erase(0, colon + 2);
    return Error(Errc::invalid, std::string(name) + ":" + std::to_string(line) + ":" +
                                    std::to_string(column) + ": not valid JSON: " + why);
  } catch (const Json::exception& error) {  // a number beyond all limits
    std::string why = error.what();
    if (const std::size_t end = why.find("] "); end != std::string::npos) why.erase(0, end + 2);
    return Error(Errc::invalid, std::string(name) + ": not valid JSON: " + why);
  }
}

}  // namespace auditshift::base
