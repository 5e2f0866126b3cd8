// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/disk.h"
#include "base/fd.h"
#include "base/result.h"

namespace auditshift::base {

/// What stat(2) tells about one file.
struct FileInfo {
  mode_t mode = 0;  ///< type and permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;  ///< bytes
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t links = 0;
  timespec modified{};

  bool is_regular() const;
  bool is_directory() const;
  bool is_symlink() const;
};

/// One name in a directory.
struct DirectoryEntry {
  std::string name;
  FileInfo info;  ///< of the entry itself, symbolic links not followed
};

/// How a file is written when it does not exist yet. An existing file keeps its own attributes.
struct WriteOptions {
  mode_t mode = 0644;
  std::optional<uid_t> uid{};  ///< default: the writer's
  std::optional<gid_t> gid{};
};

/// A host's file tree: the running host ("/"), a captured one or a test's.
///
/// Every path is absolute as that host sees it. Symbolic links are resolved inside the root, absolute ones
/// too, and `..` stops at the root, so that no link in a hostile tree reaches outside it (openat2(2),
/// RESOLVE_IN_ROOT; on kernels before 5.6, or where a seccomp filter hides the call, a walk over directory
/// descriptors component by component). Magic links of /proc are not followed.
///
/// Copies share the root's descriptor. Functions may be called from several threads.
class Sysroot {
 public:
  /// How paths are resolved; `automatic` asks the kernel for openat2 and falls back to the walk.
  enum class Resolver { automatic, openat2, walk };

  /// Whatever changes the tree goes through `disk`.
  static Result<Sysroot> open(const std::string& root, Resolver resolver = Resolver::automatic,
                              std::shared_ptr<Disk> disk = kernel_disk());

  Sysroot(Sysroot&&) = default;
  Sysroot& operator=(Sysroot&&) = default;

  /// The root directory as it was given.
  const std::string& root() const { return root_; }
  /// True for "/": the host this process runs on.
  bool is_live() const { return live_; }

  /// Opens a file or directory with open(2) flags. O_CREAT is refused: writing goes through write_atomic and
  /// open_append.
  /// Never blocks on a FIFO (O_NONBLOCK) and never becomes a controlling terminal.
  Result<Fd> open_file(std::string_view path, int flags) const;

  /// The whole content of a regular file. A FIFO, device, socket or directory is an error, so is a file of
  /// more than `limit` bytes (Errc::too_large).
  Result<std::string> read_file(std::string_view path, std::size_t limit = kDefaultReadLimit) const;

  Result<FileInfo> stat(std::string_view path) const;   ///< follows a final link
  Result<FileInfo> lstat(std::string_view path) const;  ///< does not follow a final link
  /// True when the path resolves to something. False also when it cannot be told; use stat() to learn why.
  bool exists(std::string_view path) const;
  /// The target text of a symbolic link.
  Result<std::string> read_link(std::string_view path) const;
  /// The entries of a directory, sorted by name bytes, without "." and "..".
  Result<std::vector<DirectoryEntry>> list(std::string_view path) const;
  /// The absolute path, inside the root, of the file that `path` leads to when all links are followed.
  Result<std::string> resolve(std::string_view path) const;

  /// Replaces or creates a file so that after a crash either the old or the new content is there, complete:
  /// temporary file beside it, fsync, rename, fsync of the directory. An existing file keeps owner, group,
  /// mode and extended attributes (ACLs and security labels included). A symbolic link is followed and its
  /// target is replaced. On failure nothing is changed and no temporary file stays.
  Result<void> write_atomic(std::string_view path, std::string_view content,
                            const WriteOptions& options = {}) const;
  /// Removes a file (not a directory) and syncs its directory. A symbolic link itself is removed.
  Result<void> remove(std::string_view path) const;
  /// Creates a directory and its missing parents, and syncs each.
  Result<void> make_directories(std::string_view path, mode_t mode = 0755) const;

  /// Owner, permission bits and extended attributes of a file or directory; a final link is an error.
  Result<FileAttributes> attributes(std::string_view path) const;
  /// As write_atomic, but the file has exactly these attributes afterwards, and a final symbolic link is
  /// replaced itself.
  Result<void> restore(std::string_view path, std::string_view content,
                       const FileAttributes& attributes) const;
  /// Puts a symbolic link at `path`, over a file or link that may be there, as durably.
  Result<void> restore_link(std::string_view path, const std::string& target, uid_t uid, gid_t gid) const;
  /// Removes an empty directory and syncs its parent.
  Result<void> remove_directory(std::string_view path) const;
  /// Removes the temporary files that a write of `path` left behind when its process or machine died.
  /// REQUIRES: no other process writes that file now.
  Result<void> remove_leftovers(std::string_view path) const;
  /// Makes it certain that the name of this file, or its absence, outlives a power cut.
  Result<void> sync_parent(std::string_view path) const;
  /// Opens a file for reading and appending; one that is missing is created with `mode` and its name synced.
  /// A final symbolic link is refused. Write to it with write_all(disk(), …).
  Result<Fd> open_append(std::string_view path, mode_t mode) const;
  /// What changes the tree.
  Disk& disk() const { return *disk_; }

  static constexpr std::size_t kDefaultReadLimit = std::size_t{64} << 20;

 private:
  Sysroot(std::string root, Fd fd, Resolver resolver, std::shared_ptr<Disk> disk);

  struct Parent {
    Fd directory;
    std::string name;
  };

  Result<Fd> open_at(std::string_view path, int flags, mode_t mode) const;
  Result<Fd> open_by_walk(std::string_view path, int flags, mode_t mode) const;
  Result<Parent> open_parent(std::string_view path) const;

  std::string root_;
  Fd fd_;
  Resolver resolver_;
  std::shared_ptr<Disk> disk_;
  bool live_;
};

/// Reads an open descriptor to its end, at most `limit` bytes.
Result<std::string> read_all(int fd, std::size_t limit, std::string_view name);

/// Writes everything, going on after short writes and EINTR.
Result<void> write_all(int fd, std::string_view content, std::string_view name);
Result<void> write_all(Disk& disk, int fd, std::string_view content, std::string_view name);

/// Writes `content` to a path of the running process's own file system the way Sysroot::write_atomic does.
Result<void> write_file_atomic(const std::string& path, std::string_view content,
                               const WriteOptions& options = {});

}  // namespace auditshift::base
