// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auditd/layout.h"
#include "base/result.h"
#include "migrate/facts.h"
#include "migrate/world.h"

namespace auditshift::migrate {

/// Rules files that were named one by one, parsed for a host.
struct RuleFiles {
  std::vector<auditd::RuleFile> files;
  /// The lines in the order in which they are loaded: a directory's as augenrules joins them, else file by
  /// file.
  std::vector<auditd::Line> load_order;
  auditd::AuditVersion version;
  std::string machine = "x86_64";  ///< uname -m; the most common one where the host does not tell
};

/// Reads files, and of directories the *.rules files in augenrules' order. No path: the host's rules.d, or
/// its compiled file where rules.d is not used. `version`: the audit version to answer for, else the host's.
base::Result<RuleFiles> read_rule_files(const World& world, const std::vector<std::string>& paths,
                                        std::optional<auditd::AuditVersion> version);

/// The rules that stand in the kernel after loading these lines, in the kernel's order; bad lines are passed
/// over, -D, -d and -W are obeyed.
std::vector<auditd::Rule> loaded_rules(const std::vector<auditd::Line>& lines);

/// Facts that hold these files as the rules.d of an otherwise unknown host.
Facts facts_of(const RuleFiles& files);

}  // namespace auditshift::migrate
