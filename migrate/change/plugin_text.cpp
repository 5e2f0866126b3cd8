// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/plugin_text.h"

#include "base/text.h"

namespace auditshift::migrate::change {

std::string deactivated(std::string_view text) {
  std::string result;
  bool found = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && base::to_lower(base::trim(line.substr(0, equals))) == "active") {
      const std::size_t begin = std::min(line.find_first_not_of(" \t", equals + 1), line.size());
      const std::size_t stop = std::min(line.find_first_of(" \t\r#", begin), line.size());
      result += line.substr(0, begin);
      if (begin == equals + 1 && begin == line.size()) result += ' ';
      result += "no";
      result += line.substr(stop);
      found = true;
    } else {
      result += line;
    }
    if (end < text.size()) result += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!found) {
    if (!result.empty() && result.back() != '\n') result += '\n';
    result += "active = no\n";
  }
  return result;
}

}  // namespace auditshift::migrate::change
