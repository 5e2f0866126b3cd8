// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "migrate/assess.h"

namespace auditshift::migrate::change {

/// What becomes of one file; no content: it goes.
struct FileCleanup {
  std::string path;
  std::optional<std::string> content;
};

/// The kernel's limit of audit records a second; 0: none.
struct RateLimitChange {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

/// Defender's part of the audit rules taken out of a host: what its files hold afterwards, which rules leave
/// the kernel, and what is left.
struct RuleCleanup {
  std::vector<FileCleanup> rules_d;    ///< in the loader's order
  std::vector<FileCleanup> compiled;   ///< audit.rules, and what a plain loader reads instead
  bool generated = false;              ///< audit.rules is what augenrules writes, and stays that
  std::vector<auditd::Rule> live;      ///< to be deleted from the kernel, in its order
  std::vector<std::string> live_left;  ///< normal forms of those that stay, in the kernel's order
  std::vector<std::string>
      boot_left;  ///< normal forms of what the next boot loads then, in the kernel's order
  /// The kernel has the limit that a file of Defender's set last; what the files that stay would give it.
  std::optional<RateLimitChange> rate_limit;
  std::vector<std::string> notes;  ///< what was left alone, and why
};

struct CleanupOptions {
  /// Exclusions that are not carried over were decided on (EXC001 skipped).
  bool leave_exclusions_out = false;
  /// Also files that no loader reads: copies of Defender's files under other names.
  bool leftovers = false;
};

/// Plans the clean-up; changes nothing. Whole files go when they are Defender's (mdatp.rules, files with its
/// header), and the support tool's exclude.rules when each of its exclusions is settled; of all other files
/// only lines with Defender's keys, every other byte stays. A file that makes the loader pass over bad lines
/// (-c) stays when without it a rule of the user would not be loaded any more.
///
/// Errors: a line that is partly Defender's (over 6,143 bytes long, it is two rules).
base::Result<RuleCleanup> plan_rule_cleanup(const Assessment& assessment, const CleanupOptions& options);

/// The text without some of its lines, counted from 1.
std::string without_lines(std::string_view text, const std::set<int>& lines);

}  // namespace auditshift::migrate::change
