// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/sysroot.h"
#include "migrate/change/backup.h"
#include "migrate/change/step.h"

namespace auditshift::migrate::change {

/// "write-file": the file holds exactly this content afterwards. One that exists keeps owner, mode and
/// extended attributes, and a symbolic link is followed; a new one gets those of `if_new`, and its missing
/// directories are made (0755). `expected`: what the plan saw there; anything else at the start of the step
/// is refused.
StepSpec write_file(std::string id, const std::string& path, std::string_view content,
                    const base::WriteOptions& if_new = {}, const std::optional<FileState>& expected = {});

/// "remove-file": there is no such file afterwards. A symbolic link itself is removed.
StepSpec remove_file(std::string id, const std::string& path, const std::optional<FileState>& expected = {});

}  // namespace auditshift::migrate::change
