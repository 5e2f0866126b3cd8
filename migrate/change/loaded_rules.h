// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auditd/rule.h"
#include "migrate/change/backup.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

/// "loaded-rules": changes nothing. The first step, so that its undo is the last one: it brings back what a
/// boot in between made of half-changed files, the generated `compiled` file (empty: none) and the kernel's
/// rules; and what the agent did on its own to its rules when it was told to change its provider: the
/// kernel's, and `files`, which are Defender's alone, each with the state that the plan saw.
StepSpec loaded_rules(std::string id, const std::string& compiled, const auditd::AuditVersion& version,
                      const std::vector<std::pair<std::string, FileState>>& files = {});

/// "compiled-rules": the file that augenrules generates, with this content; "loaded-rules" brings it back.
StepSpec compiled_rules(std::string id, const std::string& path, std::string_view content);

base::Result<std::unique_ptr<Step>> make_compiled_rules(const StepSpec& spec);
base::Result<std::unique_ptr<Step>> make_loaded_rules(const StepSpec& spec);

}  // namespace auditshift::migrate::change
