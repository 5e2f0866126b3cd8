// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/attributes.h"
#include "base/disk.h"
#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::base {

// Results (write_file_atomic) keep owner and mode of a file that is there, unless other users may write to
// its directory: then they are new files, with the owner and mode of the options. A symbolic link that
// another user made, or could have put there, is refused (Errc::permission); others are followed.

/// Replaces or creates `name` in the open directory; the durable write behind Sysroot::write_atomic. `shown`
/// is the path for messages. REQUIRES: `name` is no symbolic link.
Result<void> write_atomic_at(Disk& disk, int directory, const std::string& name, std::string_view content,
                             const WriteOptions& options, std::string_view shown);

/// The same, but the file has exactly these attributes afterwards; a symbolic link is replaced itself.
Result<void> restore_file_at(Disk& disk, int directory, const std::string& name, std::string_view content,
                             const FileAttributes& attributes, std::string_view shown);

/// Puts a symbolic link where a file or link may be, as durably.
Result<void> restore_link_at(Disk& disk, int directory, const std::string& name, const std::string& target,
                             uid_t uid, gid_t gid, std::string_view shown);

/// Whether `entry` is a temporary name of the functions above, for `name`.
bool is_temporary_of(std::string_view entry, std::string_view name);

}  // namespace auditshift::base
