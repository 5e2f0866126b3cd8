// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/bus_text.h"

#include "base/text.h"

namespace auditshift::migrate::outside {
namespace {

base::Error malformed(std::string_view why) {
  return base::Error(base::Errc::invalid, "unexpected answer of busctl: " + std::string(why));
}

/// systemd's cescape(): \a \b \f \n \r \t \v \\ \" \' and \ooo.
base::Result<char> unescape(std::string_view text, std::size_t& at) {
  static constexpr std::string_view kNames = "abfnrtv\\\"'";
  static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
  if (at >= text.size()) return malformed("a backslash at its end");
  if (const std::size_t named = kNames.find(text[at]); named != std::string_view::npos) {
    ++at;
    return kMeanings[named];
  }
  if (at + 3 > text.size()) return malformed("a short octal escape");
  int value = 0;
  for (int digit = 0; digit < 3; ++digit, ++at) {
    if (text[at] < '0' || text[at] > '7') return malformed("an unknown escape");
    value = value * 8 + (text[at] - '0');
  }
  if (value > 255) return malformed("an octal escape beyond a byte");
  return static_cast<char>(static_cast<unsigned char>(value));
}

base::Result<std::string> quoted(std::string_view text, std::size_t& at) {
  std::string value;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '"') return value;
    if (c != '\\') {
      value += c;
      continue;
    }
    AUDITSHIFT_TRY(meant, unescape(text, at));
    value += meant;
  }
  return malformed("a string without its end");
}

}  // namespace

base::Result<BusReply> parse_bus_reply(std::string_view text) {
  text = base::trim(text);
  BusReply reply;
  bool first = true;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\n') {
      ++at;
      continue;
    }
    std::string value;
    if (text[at] == '"') {
      ++at;
      AUDITSHIFT_TRY(string, quoted(text, at));
      value = std::move(string);
    } else {
      const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
      value = text.substr(at, end - at);
      at = end;
    }
    if (first)
      reply.signature = std::move(value);
    else
      reply.values.push_back(std::move(value));
    first = false;
  }
  return reply;
}

}  // namespace auditshift::migrate::outside
