// SPDX-License-Identifier: Apache-2.0
#include "sensor/audit_record.h"

#include <algorithm>
#include <charconv>

#include "sensor/event.h"

namespace auditshift::sensor {
namespace {

template <class Number>
std::optional<Number> parse(std::string_view text, int base) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<AuditStamp> take_stamp(std::string_view& text) {
  constexpr std::string_view kOpen = "audit(";
  constexpr std::string_view kClose = "):";
  if (!text.starts_with(kOpen)) return std::nullopt;
  const std::size_t dot = text.find('.');
  const std::size_t colon = text.find(':');
  const std::size_t close = text.find(kClose);
  if (close == std::string_view::npos || dot > colon || colon > close) return std::nullopt;
  const auto seconds = parse<std::uint64_t>(text.substr(kOpen.size(), dot - kOpen.size()), 10);
  const auto fraction = parse<std::uint64_t>(text.substr(dot + 1, colon - dot - 1), 10);
  const auto serial = parse<std::uint64_t>(text.substr(colon + 1, close - colon - 1), 10);
  constexpr std::uint64_t kLastSecond = 9'000'000'000;  // nanoseconds of it still fit
  if (!seconds || !fraction || !serial || *seconds > kLastSecond || *fraction > 999) return std::nullopt;
  text.remove_prefix(close + kClose.size());
  if (text.starts_with(' ')) text.remove_prefix(1);
  return AuditStamp{static_cast<std::int64_t>(*seconds * 1'000'000'000 + *fraction * 1'000'000), *serial};
}

bool AuditFields::next(AuditField& field) {
  while (!rest_.empty()) {
    const std::size_t start = rest_.find_first_not_of(' ');
    if (start == std::string_view::npos) break;
    rest_.remove_prefix(start);
    const std::size_t end = std::min(rest_.find_first_of(" ="), rest_.size());
    if (end == rest_.size() || rest_[end] == ' ') {  // a word
      rest_.remove_prefix(end);
      continue;
    }
    field.name = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    field.quoted = rest_.starts_with('"');
    if (field.quoted) rest_.remove_prefix(1);
    const std::size_t stop = std::min(rest_.find(field.quoted ? '"' : ' '), rest_.size());
    field.value = rest_.substr(0, stop);
    rest_.remove_prefix(std::min(stop + 1, rest_.size()));
    return true;
  }
  rest_ = {};
  return false;
}

std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.empty() || digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::optional<std::string> untrusted_text(const AuditField& field) {
  if (field.quoted) return std::string(field.value);
  if (field.value == "(null)" || field.value == "(none)" || field.value.empty()) return std::nullopt;
  if (auto bytes = from_hex(field.value)) return bytes;
  return std::string(field.value);
}

std::optional<std::uint64_t> hex_number(std::string_view text) { return parse<std::uint64_t>(text, 16); }
std::optional<std::int64_t> signed_number(std::string_view text) { return parse<std::int64_t>(text, 10); }

std::optional<std::uint32_t> id_number(std::string_view text) {
  if (text == "unset" || text == "-1") return kUnknownId;
  return parse<std::uint32_t>(text, 10);
}

}  // namespace auditshift::sensor
