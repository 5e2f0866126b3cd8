// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// What the file system says about a path of the host whose rules are parsed.
enum class PathKind { unknown, missing, missing_parent, directory, other };

/// What a rule's meaning depends on outside its text. The host's own answers, never this process's.
class HostView {
 public:
  virtual ~HostView() = default;
  /// uid of a user name; nothing when there is no such user.
  virtual std::optional<std::uint32_t> uid_of(std::string_view user) const = 0;
  virtual std::optional<std::uint32_t> gid_of(std::string_view group) const = 0;
  /// What stat(2) finds there, links followed.
  virtual PathKind kind_of(std::string_view path) const = 0;
};

/// Knows no user, no group and no path; for text without a host.
const HostView& no_host();

struct ParseOptions {
  AuditVersion version;            ///< whose meaning and strictness counts
  std::string machine = "x86_64";  ///< uname -m of the host
  const HostView* host = nullptr;  ///< null: no_host()
};

/// Parses a rules file the way `auditctl -R` does: split at spaces only, `\ ` and `\\` escapes, lines cut at
/// 6,143 bytes, getopt conventions (auditctl(8), audit.rules(7)). Unlike auditctl it goes on after an error:
/// each bad line gets its diagnostics. The kernel's static restrictions are checked as well; what
/// depends on the moment (a missing directory) is a warning.
std::vector<Line> parse_rules(std::string_view text, std::string_view file, const ParseOptions& options);

/// Parses one line; the piece of parse_rules for a line that is known to end where it ends.
Line parse_line(std::string_view text, const Origin& origin, const ParseOptions& options);

}  // namespace auditshift::auditd
