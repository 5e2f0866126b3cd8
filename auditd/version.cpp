// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <string>

#include "auditd/rule.h"

namespace auditshift::auditd {
namespace {

/// Takes a number off the front of `text`.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<AuditVersion> AuditVersion::parse(std::string_view text) {
  if (const std::size_t epoch = text.find(':'); epoch != std::string_view::npos)
    text.remove_prefix(epoch + 1);
  AuditVersion version{0, 0, 0};
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    if (part != &version.major) {
      if (text.empty() || text.front() != '.') break;
      text.remove_prefix(1);
    }
    const std::optional<int> number = take_number(text);
    if (!number) return std::nullopt;
    *part = *number;
  }
  return version;
}

std::string AuditVersion::to_string() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace auditshift::auditd
