// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/sysroot.h"
#include "migrate/change/backup.h"

namespace auditshift::migrate::change {

/// Backups as files of a directory of the host, each named by its hash; mode 0600, the directory 0700.
class BackupDirectory final : public BackupStore {
 public:
  BackupDirectory(std::shared_ptr<const base::Sysroot> host, std::string directory)
      : host_(std::move(host)), directory_(std::move(directory)) {}

  base::Result<std::string> keep(std::string_view content) override;
  base::Result<std::string> read(const std::string& sha256) const override;

  /// Removes every backup and the directory. A directory that is not there is no error.
  base::Result<void> remove_all();

 private:
  std::string path_of(const std::string& sha256) const { return directory_ + "/" + sha256; }

  std::shared_ptr<const base::Sysroot> host_;
  std::string directory_;
};

}  // namespace auditshift::migrate::change
