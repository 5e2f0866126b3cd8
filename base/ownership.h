// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace auditshift::base {

/// Whose files a process may rely on: root's and its own (effective) user's. Every other user is a stranger,
/// who may be hostile.
bool is_trusted_owner(uid_t uid);

/// Whether a stranger may write to what has these attributes: by its owner, the mode's group (but group 0, or
/// the one of a process that is not root) or everyone. Access control lists are within the mode's group bits
/// (acl(5)).
bool strangers_may_write(uid_t uid, gid_t gid, mode_t mode);

/// Opens the directory of a file that is this process's own. Errc::permission when a stranger may take away
/// or replace names in it; in one with the sticky bit (/tmp) a stranger may only add names, so that what is
/// found there needs its own check (require_own_file). The parents of the directory are not looked at: they
/// are those that whoever named the path chose.
Result<Fd> open_own_directory(std::string_view path);

/// Errc::permission unless the open file is this process's own alone: made by a trusted user, and without
/// other names, so that it is no hard link to something else. REQUIRES: a regular file.
Result<void> require_own_file(int fd, std::string_view shown);

}  // namespace auditshift::base
