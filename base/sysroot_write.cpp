// SPDX-License-Identifier: Apache-2.0
// The changing half of Sysroot: everything goes through its Disk.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/atomic_write.h"
#include "base/sysroot.h"
#include "base/text.h"

namespace auditshift::base {

Result<void> Sysroot::write_atomic(std::string_view path, std::string_view content,
                                   const WriteOptions& options) const {
  std::string target(path);
  if (auto info = lstat(path); info && info->is_symlink()) {
    AUDITSHIFT_TRY(resolved, resolve(path));
    target = resolved;
  }
  AUDITSHIFT_TRY(parent, open_parent(target));
  return write_atomic_at(*disk_, parent.directory.get(), parent.name, content, options, path);
}

Result<void> Sysroot::restore(std::string_view path, std::string_view content,
                              const FileAttributes& attributes) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  return restore_file_at(*disk_, parent.directory.get(), parent.name, content, attributes, path);
}

Result<void> Sysroot::restore_link(std::string_view path, const std::string& target, uid_t uid,
                                   gid_t gid) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  return restore_link_at(*disk_, parent.directory.get(), parent.name, target, uid, gid, path);
}

Result<FileAttributes> Sysroot::attributes(std::string_view path) const {
  AUDITSHIFT_TRY(fd, open_file(path, O_RDONLY | O_NOFOLLOW));
  return read_attributes(fd.get(), path);
}

Result<Fd> Sysroot::open_append(std::string_view path, mode_t mode) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Fd fd(disk_->open(parent.directory.get(), parent.name.c_str(), flags, 0));
  if (!fd && errno == ENOENT) {
    fd = Fd(disk_->open(parent.directory.get(), parent.name.c_str(), flags | O_CREAT | O_EXCL, mode));
    if (fd && disk_->fsync(parent.directory.get()) != 0)
      return Error::from_errno(errno, path).context("cannot sync the directory of");
  }
  if (!fd) return Error::from_errno(errno, path);
  return fd;
}

Result<void> Sysroot::remove(std::string_view path) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  if (disk_->unlink(parent.directory.get(), parent.name.c_str()) != 0) return Error::from_errno(errno, path);
  if (disk_->fsync(parent.directory.get()) != 0) return Error::from_errno(errno, path);
  return {};
}

Result<void> Sysroot::remove_directory(std::string_view path) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  if (disk_->rmdir(parent.directory.get(), parent.name.c_str()) != 0) return Error::from_errno(errno, path);
  if (disk_->fsync(parent.directory.get()) != 0) return Error::from_errno(errno, path);
  return {};
}

Result<void> Sysroot::remove_leftovers(std::string_view path) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  const std::size_t slash = path.rfind('/');
  AUDITSHIFT_TRY(entries, list(slash == 0 ? "/" : path.substr(0, slash)));
  bool removed = false;
  for (const DirectoryEntry& entry : entries) {
    if (!is_temporary_of(entry.name, parent.name) || entry.info.is_directory()) continue;
    if (disk_->unlink(parent.directory.get(), entry.name.c_str()) != 0 && errno != ENOENT)
      return Error::from_errno(errno, path).context("cannot remove " + entry.name + " beside");
    removed = true;
  }
  if (removed && disk_->fsync(parent.directory.get()) != 0) return Error::from_errno(errno, path);
  return {};
}

Result<void> Sysroot::sync_parent(std::string_view path) const {
  AUDITSHIFT_TRY(parent, open_parent(path));
  if (disk_->fsync(parent.directory.get()) != 0)
    return Error::from_errno(errno, path).context("cannot sync the directory of");
  return {};
}

Result<void> Sysroot::make_directories(std::string_view path, mode_t mode) const {
  std::string done;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    done += "/" + std::string(part);
    AUDITSHIFT_TRY(parent, open_parent(done));
    if (disk_->mkdir(parent.directory.get(), parent.name.c_str(), mode) == 0) {
      if (disk_->fsync(parent.directory.get()) != 0) return Error::from_errno(errno, done);
      continue;
    }
    if (errno == EEXIST) continue;
    const int mkdir_errno = errno;
    // A read-only file system says so before it looks whether the directory is there.
    if (mkdir_errno != EROFS || !exists(done)) return Error::from_errno(mkdir_errno, done);
  }
  AUDITSHIFT_TRY(info, stat(path));
  if (!info.is_directory()) return Error::from_errno(ENOTDIR, path);
  return {};
}

Result<void> write_all(Disk& disk, int fd, std::string_view content, std::string_view name) {
  while (!content.empty()) {
    const ssize_t n = disk.write(fd, content.data(), content.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return Error::from_errno(errno, name);
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace auditshift::base
