// SPDX-License-Identifier: Apache-2.0
#include "migrate/openmetrics.h"

#include <charconv>

#include "base/text.h"

namespace auditshift::migrate {
namespace {

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : base::to_utf8(value)) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

std::string number(double value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  return {digits, end.ptr};
}

}  // namespace

void Metrics::begin(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  out_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
}

void Metrics::gauge(std::string_view name, std::string_view help) { begin(name, help, "gauge"); }

void Metrics::counter(std::string_view name, std::string_view help) { begin(name, help, "counter"); }

void Metrics::sample(double value, const Labels& labels) {
  out_ += name_;
  char before = '{';
  for (const auto& [label, text] : labels) {
    out_ += before + std::string(label) + "=\"" + escaped(text) + "\"";
    before = ',';
  }
  if (!labels.empty()) out_ += '}';
  out_ += " " + number(value) + "\n";
}

void Metrics::states(std::string_view label, const std::vector<std::string_view>& states,
                     std::string_view current) {
  for (const std::string_view state : states) sample(state == current ? 1 : 0, {{label, std::string(state)}});
}

}  // namespace auditshift::migrate
