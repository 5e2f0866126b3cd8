// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "auditd/normalize.h"
#include "auditd/parser.h"

namespace auditshift::auditd {

/// A host with the users root (0) and alice (1000), the group wheel (10), and a handful of paths.
class SampleHost final : public HostView {
 public:
  std::optional<std::uint32_t> uid_of(std::string_view user) const override {
    if (user == "root") return 0;
    if (user == "alice") return 1000;
    return std::nullopt;
  }
  std::optional<std::uint32_t> gid_of(std::string_view group) const override {
    if (group == "root") return 0;
    if (group == "wheel") return 10;
    return std::nullopt;
  }
  PathKind kind_of(std::string_view path) const override {
    if (path == "/" || path == "/etc" || path == "/etc/" || path == "/opt/app") return PathKind::directory;
    if (path == "/etc/passwd" || path == "/usr/bin/ls") return PathKind::other;
    if (path.starts_with("/gone/")) return PathKind::missing_parent;
    return PathKind::missing;
  }
};

inline ParseOptions sample_options(AuditVersion version = {3, 0, 9}) {
  static const SampleHost host;
  return {version, "x86_64", &host};
}

inline Line parse(std::string_view text, AuditVersion version = {3, 0, 9}) {
  return parse_line(text, {"a.rules", 1}, sample_options(version));
}

/// What `auditctl -l` would print for the line; "" when it loads nothing.
inline std::string listed(std::string_view text, AuditVersion version = {3, 0, 9}) {
  const Line line = parse(text, version);
  if (!line.valid()) return "error: " + line.diagnostics.front().message;
  return line.rule ? normalize(*line.rule, version, "x86_64") : "";
}

/// The first error as "column: message [suggestion]"; "" for a valid line.
inline std::string error_of(std::string_view text, AuditVersion version = {3, 0, 9}) {
  const Line line = parse(text, version);
  if (line.valid()) return "";
  const Diagnostic& first = line.diagnostics.front();
  return std::to_string(first.column) + ": " + first.message +
         (first.suggestion.empty() ? "" : " [" + first.suggestion + "]");
}

/// All warnings and notes, as "column: message", one a line.
inline std::string remarks_of(std::string_view text, AuditVersion version = {3, 0, 9}) {
  std::string remarks;
  for (const Diagnostic& diagnostic : parse(text, version).diagnostics) {
    if (diagnostic.severity == Severity::error) continue;
    if (!remarks.empty()) remarks += "\n";
    remarks += std::to_string(diagnostic.column) + ": " + diagnostic.message;
  }
  return remarks;
}

}  // namespace auditshift::auditd
