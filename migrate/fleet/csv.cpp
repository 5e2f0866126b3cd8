// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/csv.h"

#include "base/text.h"

namespace auditshift::migrate::fleet {
namespace {

/// Spreadsheets run what begins with these, also in their full-width forms (OWASP, "CSV Injection").
bool is_formula(std::string_view text) {
  text = base::trim(text);
  const bool negative_number =
      text.size() > 1 && text[0] == '-' && text.find_first_not_of("0123456789.", 1) == std::string_view::npos;
  if (negative_number) return false;
  for (const std::string_view start :
       {"=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"})
    if (text.starts_with(start)) return true;
  return false;
}

std::string quoted_field(std::string_view value) {
  const std::string text = base::printable(value);
  std::string quoted = is_formula(text) ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

void add_csv_line(std::string& out, const std::vector<std::string>& fields) {
  bool first = true;
  for (const std::string& field : fields) {
    if (!first) out += ',';
    out += quoted_field(field);
    first = false;
  }
  out += "\r\n";
}

}  // namespace auditshift::migrate::fleet
