// SPDX-License-Identifier: Apache-2.0
#include "migrate/health.h"

#include "base/json.h"
#include "base/text.h"

namespace auditshift::migrate {
namespace {

using base::trim;

std::string unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

bool is_field_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

void parse_text_line(std::string_view line, Health& health) {
  if (line.starts_with("ATTENTION:")) {
    health.attention = trim(line.substr(10));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = trim(line.substr(0, colon));
  if (!is_field_name(name)) return;
  std::string_view value = trim(line.substr(colon + 1));
  HealthField field;
  if (value.ends_with("[managed]")) {
    field.managed = true;
    value = trim(value.substr(0, value.size() - 9));
  }
  field.value = unquote(value);
  health.fields.insert_or_assign(std::string(name), field);
}

/// `--output json`: one object, field names as in the text; newer builds use camel case.
Health parse_json_form(std::string_view text) {
  Health health;
  const auto parsed = base::parse_json(text, "health");
  if (!parsed || !parsed->is_object()) return health;
  for (const auto& [key, value] : parsed->items()) {
    std::string name;
    for (const char c : key) {
      if (c >= 'A' && c <= 'Z') {
        if (!name.empty()) name += '_';
        name += static_cast<char>(c - 'A' + 'a');
      } else {
        name += c;
      }
    }
    const base::Json* shown = &value;
    HealthField field;
    if (value.is_object() && value.contains("value")) {
      shown = &value["value"];
      field.managed = value.contains("managed") && value["managed"] == true;
    }
    field.value = shown->is_string() ? shown->get<std::string>() : shown->dump();
    health.fields.insert_or_assign(name, field);
  }
  return health;
}

}  // namespace

std::string Health::get(std::string_view field) const {
  const auto at = fields.find(field);
  return at == fields.end() ? std::string() : at->second.value;
}

Health parse_health(std::string_view text) {
  if (trim(text).starts_with("{")) return parse_json_form(text);
  Health health;
  for (const std::string_view line : base::split(text, '\n')) parse_text_line(trim(line), health);
  return health;
}

std::optional<std::chrono::sys_days> parse_health_date(std::string_view text) {
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::size_t space = text.find(' ');
  const std::size_t comma = text.find(',');
  if (space == std::string_view::npos || comma == std::string_view::npos || comma < space)
    return std::nullopt;
  const auto day = base::parse_decimal(trim(text.substr(space + 1, comma - space - 1)));
  std::string_view rest = trim(text.substr(comma + 1));
  const auto year = base::parse_decimal(rest.substr(0, rest.find(' ')));
  if (!day || !year || *year > 9999 || *day > 31) return std::nullopt;
  for (unsigned month = 1; month <= 12; ++month) {
    if (text.substr(0, 3) != kMonths[month - 1]) continue;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(month),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (date.ok()) return std::chrono::sys_days(date);
  }
  return std::nullopt;
}

}  // namespace auditshift::migrate
