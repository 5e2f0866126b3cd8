// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/sysroot.h"
#include "migrate/change/transaction.h"

namespace auditshift::migrate::change {

/// Where transactions are kept on a host (docs/journal.md): names in the directory, and what is simple about
/// them.
class StateDirectory {
 public:
  StateDirectory(std::shared_ptr<const base::Sysroot> host, std::string path)
      : host_(std::move(host)), path_(std::move(path)) {}

  const std::shared_ptr<const base::Sysroot>& host() const { return host_; }
  std::string backups() const { return path_ + "/backups"; }
  std::string journal(const std::string& id) const { return path_ + "/journal/" + id + ".journal"; }

  /// Makes the directories, 0700, and makes certain that they stay.
  base::Result<void> make() const;
  /// Ids of all transactions, oldest first.
  base::Result<std::vector<std::string>> ids() const;
  /// The id after the newest one.
  static std::string id_after(const std::vector<std::string>& ids);

  /// The file that lets the boot unit resume. Both are synced.
  base::Result<void> set_marker(const std::string& id) const;
  base::Result<void> remove_marker() const;
  bool marked() const { return host_->exists(marker()); }

  /// Writes the state file. It is derived from the journal, so that a failure is logged and no more.
  void publish(const Status& status) const;

  /// Takes the lock until the descriptor is closed. Errc::busy names the holder.
  base::Result<base::Fd> lock(const std::string& caller, base::WallTime now) const;
  /// Whether a process holds the lock now.
  bool locked() const;

 private:
  std::string marker() const { return path_ + "/resume-at-boot"; }
  std::string lock_file() const { return path_ + "/lock"; }

  std::shared_ptr<const base::Sysroot> host_;
  std::string path_;
};

}  // namespace auditshift::migrate::change
