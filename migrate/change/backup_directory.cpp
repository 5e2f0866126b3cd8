// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/backup_directory.h"

#include <unistd.h>

#include "base/hash.h"

namespace auditshift::migrate::change {

using base::Errc;
using base::Error;
using base::Result;

Result<std::string> BackupDirectory::keep(std::string_view content) {
  const std::string sha256 = base::sha256(content);
  const auto there = host_->read_file(path_of(sha256));
  if (there && base::sha256(*there) == sha256) {
    // The process that wrote it may have died before it synced the name.
    AUDITSHIFT_TRY_VOID(host_->sync_parent(path_of(sha256)).context("cannot keep a backup"));
    return sha256;
  }
  AUDITSHIFT_TRY_VOID(host_->make_directories(directory_, 0700).context("cannot keep a backup"));
  AUDITSHIFT_TRY_VOID(host_
                          ->restore(path_of(sha256), content,
                                    {.mode = 0600, .uid = ::geteuid(), .gid = ::getegid(), .extended = {}})
                          .context("cannot keep a backup"));
  return sha256;
}

Result<std::string> BackupDirectory::read(const std::string& sha256) const {
  AUDITSHIFT_TRY(content, host_->read_file(path_of(sha256)).context("cannot read a backup"));
  if (base::sha256(content) != sha256)
    return Error(Errc::invalid, path_of(sha256) + ": the backup is damaged, its content has another hash")
        .with_hint("Restore the file from the host's own backups; nothing was overwritten.");
  return std::move(content);
}

Result<void> BackupDirectory::remove_all() {
  const auto entries = host_->list(directory_);
  if (!entries) {
    if (entries.error().code() == Errc::not_found) return {};
    return entries.error();
  }
  for (const base::DirectoryEntry& entry : *entries)
    AUDITSHIFT_TRY_VOID(host_->remove(directory_ + "/" + entry.name).context("cannot remove a backup"));
  return host_->remove_directory(directory_).context("cannot remove the backups");
}

}  // namespace auditshift::migrate::change
