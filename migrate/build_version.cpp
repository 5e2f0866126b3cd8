// SPDX-License-Identifier: Apache-2.0
#include "migrate/build_version.h"

#include <charconv>
#include <cstdio>

namespace auditshift::migrate {

std::optional<BuildVersion> BuildVersion::parse(std::string_view text) {
  // An epoch, as dpkg may show it.
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos)
    text.remove_prefix(colon + 1);
  BuildVersion version;
  std::uint32_t* parts[] = {&version.line, &version.cut, &version.build};
  const char* at = text.data();
  const char* end = text.data() + text.size();
  std::size_t cut_digits = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0) {
      if (at == end || *at != '.') return std::nullopt;
      ++at;
    }
    const auto [next, error] = std::from_chars(at, end, *parts[i]);
    if (error != std::errc()) return std::nullopt;
    if (i == 1) cut_digits = static_cast<std::size_t>(next - at);
    at = next;
  }
  if (at != end && *at != '-' && *at != '_' && *at != '+' && *at != '~' && *at != ' ') return std::nullopt;
  if (cut_digits == 4) version.cut = version.cut * 10 + 2;
  return version;
}

std::string BuildVersion::to_string() const {
  char text[48];
  // The scheme of mid 2023 pads the last part to four digits; older ones ("101.98.89") do not.
  std::snprintf(text, sizeof text, cut >= 10000 ? "%u.%u.%04u" : "%u.%u.%u", line, cut, build);
  return text;
}

}  // namespace auditshift::migrate
