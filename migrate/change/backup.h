// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::migrate::change {

/// All that a file is, content by its hash; or that there is none.
struct FileState {
  bool exists = false;
  mode_t mode = 0;  ///< permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  std::map<std::string, std::string> attributes;  ///< extended ones: ACLs, security label, file capabilities
  std::string sha256;                             ///< of the content, lower-case hexadecimal
  std::string link;                               ///< target, when it is a symbolic link

  bool operator==(const FileState&) const = default;
};

base::Result<FileState> read_file_state(const base::Sysroot& host, const std::string& path);
base::Json to_json(const FileState& state);
base::Result<FileState> file_state_from_json(const base::Json& json);

/// The contents that a rollback needs, by hash. A content is complete and synced before keep() returns, and
/// is compared with its hash whenever it is read.
class BackupStore {
 public:
  virtual ~BackupStore() = default;
  virtual base::Result<std::string> keep(std::string_view content) = 0;  ///< its sha256
  virtual base::Result<std::string> read(const std::string& sha256) const = 0;
};

}  // namespace auditshift::migrate::change
