// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"

namespace auditshift::base {

/// All of a file that is neither its name nor its content, so that it can be given back.
struct FileAttributes {
  mode_t mode = 0644;  ///< permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  /// Extended ones by name (xattr(7)): ACLs, security label, file capabilities. The values are bytes.
  std::map<std::string, std::string> extended;

  bool operator==(const FileAttributes&) const = default;
};

/// Of an open file. `shown` is its path for messages.
Result<FileAttributes> read_attributes(int fd, std::string_view shown);

/// Makes the open file have exactly these. Extended attributes that it has beside them are removed, unless
/// the kernel insists on them (a security label).
Result<void> write_attributes(Disk& disk, int fd, const FileAttributes& wanted, std::string_view shown);

}  // namespace auditshift::base
