// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/attributes.h"
#include "base/disk.h"
#include "base/fd.h"
#include "tests/unit/migrate/change/fault_points.h"

namespace auditshift::tests {

/// The real disk, with a memory of what was not synced: content and attributes of files, names in
/// directories. Each call is a fault point.
class FaultDisk final : public base::Disk {
 public:
  /// What a disk may hold after the power went. Whatever was synced is always there.
  enum class Survives {
    all,         ///< not the machine but the process died
    nothing,     ///< neither content nor names that were not synced
    names,       ///< names, but not the content behind them
    content,     ///< content, but not the names
    torn,        ///< names, and the first half of the content
    torn_zeros,  ///< names, and the content with a hole of zeros in it
  };

  /// `graveyard`: an empty directory of the same file system, for what was unlinked and not synced.
  FaultDisk(FaultPoints& points, std::string graveyard);
  ~FaultDisk() override;

  /// Brings the disk into the state after a cut; afterwards all is synced.
  void lose(Survives survives);
  /// Whether there is anything that a power cut could take.
  bool has_unsynced() const { return !dirty_.empty() || !names_.empty(); }
  /// Takes everything as synced.
  void settle();
  /// From now on syncing a file or directory whose path holds this text has no effect.
  void lie_about(std::string text) { lies_.push_back(std::move(text)); }

  int open(int directory, const char* name, int flags, mode_t mode) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  int fsync(int fd) override;
  int rename(int directory, const char* from, const char* to) override;
  int unlink(int directory, const char* name) override;
  int rmdir(int directory, const char* name) override;
  int mkdir(int directory, const char* name, mode_t mode) override;
  int symlink(const char* target, int directory, const char* name) override;
  int truncate(int fd, off_t size) override;
  int allocate(int fd, off_t offset, off_t size) override;
  int chown(int fd, uid_t uid, gid_t gid) override;
  int chown_link(int directory, const char* name, uid_t uid, gid_t gid) override;
  int chmod(int fd, mode_t mode) override;
  int setxattr(int fd, const char* name, const void* value, std::size_t size) override;
  int removexattr(int fd, const char* name) override;

 private:
  using Inode = std::pair<dev_t, ino_t>;

  /// A file whose content or attributes were changed since its last sync.
  struct Dirty {
    base::Fd fd;  ///< keeps the inode from being used again
    std::string content;
    base::FileAttributes attributes;
  };
  /// One change of a directory's names since its last sync.
  struct NameChange {
    enum class Kind { created, removed, renamed, made, unmade } kind;
    Inode directory_inode;
    base::Fd directory;
    std::string name;
    std::string from;    ///< renamed: the old name
    std::string buried;  ///< removed, or renamed over: where the old file is kept
    mode_t mode = 0;     ///< unmade: of the directory
  };

  bool hurt(bool takes_space);
  void touch(int fd);
  std::string bury(int directory, const char* name);
  void remember(NameChange::Kind kind, int directory, std::string name, std::string from = {},
                std::string buried = {}, mode_t mode = 0);
  void revert_names();
  void revert(const NameChange& change);
  void revert_content(Survives survives);
  static void put_content(const Dirty& dirty, const std::string& content);

  FaultPoints& points_;
  std::shared_ptr<base::Disk> disk_ = base::kernel_disk();
  base::Fd graveyard_;
  std::size_t buried_ = 0;
  std::map<Inode, Dirty> dirty_;
  std::vector<NameChange> names_;
  std::map<Inode, off_t> allocated_;
  std::vector<std::string> lies_;
};

}  // namespace auditshift::tests
