// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "migrate/change/backup.h"
#include "migrate/change/host.h"

namespace auditshift::migrate::change {

/// What the file steps share: seeing a file before its change, and bringing it back.
struct CapturedFile {
  std::string path;  ///< of the file that changes, links followed where the step follows them
  FileState state;   ///< before the change; its content is among the backups
  std::vector<std::string> directories;  ///< that did not exist, outermost first
};

/// `expected`: what the plan saw there. Errc::busy when it is something else now.
base::Result<CapturedFile> capture_file(const Host& host, const std::string& path,
                                        const std::optional<FileState>& expected, BackupStore& backups);
base::Json to_json(const CapturedFile& captured);
base::Result<CapturedFile> captured_file_from_json(const base::Json& json);

/// The refusal to overwrite what somebody else wrote.
base::Error changed_by_others(const std::string& path, std::string_view since);

/// Removes what a write of `path` left behind when it was cut off, and syncs its directory, so that what is
/// seen there now stays. A directory that does not exist is no error.
base::Result<void> settle(const Host& host, const std::string& path);

/// Brings the file back, from a backup that is checked; and removes directories that did not exist, when they
/// are empty. REQUIRES: the caller has made sure that nothing of somebody else's is overwritten.
base::Result<void> restore_file(Host& host, const CapturedFile& captured, const FileState& now,
                                const BackupStore& backups);

/// `expected` of a step's parameters, when it is there.
base::Result<std::optional<FileState>> expected_state(const base::Json* parameter);

}  // namespace auditshift::migrate::change
