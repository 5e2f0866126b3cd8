// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/fault_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "base/sysroot.h"

namespace auditshift::tests {
namespace {

std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

void check(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("fault disk: ") + what + ": " + std::strerror(errno));
}

struct stat stat_of(int fd) {
  struct stat st {};
  check(::fstat(fd, &st) == 0, "fstat");
  return st;
}

}  // namespace

FaultDisk::FaultDisk(FaultPoints& points, std::string graveyard)
    : points_(points), graveyard_(::open(graveyard.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  check(graveyard_.valid(), "open graveyard");
}

FaultDisk::~FaultDisk() = default;

bool FaultDisk::hurt(bool takes_space) {
  int error = points_.pass();
  if (error == 0 && points_.is_read_only()) error = EROFS;
  if (error == 0 && takes_space && points_.is_full()) error = ENOSPC;
  errno = error;
  return error != 0;
}

void FaultDisk::touch(int fd) {
  const struct stat st = stat_of(fd);
  const Inode inode{st.st_dev, st.st_ino};
  if (dirty_.contains(inode)) return;
  Dirty dirty;
  dirty.fd = base::Fd(::open(path_of(fd).c_str(), O_RDWR | O_CLOEXEC));
  check(dirty.fd.valid(), "open again");
  auto content = base::read_all(dirty.fd.get(), std::size_t{1} << 30, "file");
  auto attributes = base::read_attributes(dirty.fd.get(), "file");
  check(content.ok() && attributes.ok(), "read before a change");
  dirty.content = *std::move(content);
  dirty.attributes = *std::move(attributes);
  dirty_.emplace(inode, std::move(dirty));
}

/// Another name for what is about to lose its own, so that it can come back.
std::string FaultDisk::bury(int directory, const char* name) {
  std::string buried = std::to_string(++buried_);
  check(::linkat(directory, name, graveyard_.get(), buried.c_str(), 0) == 0, "bury");
  return buried;
}

void FaultDisk::remember(NameChange::Kind kind, int directory, std::string name, std::string from,
                         std::string buried, mode_t mode) {
  const struct stat st = stat_of(directory);
  names_.push_back({.kind = kind,
                    .directory_inode = {st.st_dev, st.st_ino},
                    .directory = base::Fd(::fcntl(directory, F_DUPFD_CLOEXEC, 0)),
                    .name = std::move(name),
                    .from = std::move(from),
                    .buried = std::move(buried),
                    .mode = mode});
}

int FaultDisk::open(int directory, const char* name, int flags, mode_t mode) {
  const bool creates = (flags & O_CREAT) != 0;
  if (hurt(creates)) return -1;
  struct stat st {};
  const bool is_new = creates && ::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0;
  const int fd = disk_->open(directory, name, flags, mode);
  if (fd >= 0 && is_new) {
    touch(fd);
    remember(NameChange::Kind::created, directory, name);
  }
  return fd;
}

ssize_t FaultDisk::write(int fd, const void* data, std::size_t size) {
  if (hurt(false)) return -1;
  const struct stat st = stat_of(fd);
  const auto allocated = allocated_.find({st.st_dev, st.st_ino});
  const off_t room = allocated == allocated_.end() ? 0 : allocated->second;
  if (points_.is_full() && st.st_size + static_cast<off_t>(size) > room) {
    errno = ENOSPC;
    return -1;
  }
  touch(fd);
  return disk_->write(fd, data, size);
}

int FaultDisk::fsync(int fd) {
  if (hurt(false)) return -1;
  const std::string path = std::filesystem::read_symlink(path_of(fd)).string();
  for (const std::string& lie : lies_)
    if (path.find(lie) != std::string::npos) return 0;
  const struct stat st = stat_of(fd);
  const Inode inode{st.st_dev, st.st_ino};
  dirty_.erase(inode);
  std::erase_if(names_, [&](const NameChange& change) {
    if (change.directory_inode != inode) return false;
    if (!change.buried.empty()) ::unlinkat(graveyard_.get(), change.buried.c_str(), 0);
    return true;
  });
  return 0;  // tmpfs keeps nothing anyway
}

int FaultDisk::rename(int directory, const char* from, const char* to) {
  if (hurt(false)) return -1;
  struct stat st {};
  std::string buried;
  if (::fstatat(directory, to, &st, AT_SYMLINK_NOFOLLOW) == 0) buried = bury(directory, to);
  if (disk_->rename(directory, from, to) != 0) return -1;
  remember(NameChange::Kind::renamed, directory, to, from, buried);
  return 0;
}

int FaultDisk::unlink(int directory, const char* name) {
  if (hurt(false)) return -1;
  struct stat st {};
  std::string buried;
  if (::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
    buried = bury(directory, name);
  if (disk_->unlink(directory, name) != 0) return -1;
  remember(NameChange::Kind::removed, directory, name, {}, buried);
  return 0;
}

int FaultDisk::rmdir(int directory, const char* name) {
  if (hurt(false)) return -1;
  struct stat st {};
  (void)::fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW);
  if (disk_->rmdir(directory, name) != 0) return -1;
  remember(NameChange::Kind::unmade, directory, name, {}, {}, st.st_mode & 07777);
  return 0;
}

int FaultDisk::mkdir(int directory, const char* name, mode_t mode) {
  if (hurt(true) || disk_->mkdir(directory, name, mode) != 0) return -1;
  remember(NameChange::Kind::made, directory, name);
  return 0;
}

int FaultDisk::symlink(const char* target, int directory, const char* name) {
  if (hurt(true) || disk_->symlink(target, directory, name) != 0) return -1;
  remember(NameChange::Kind::created, directory, name);
  return 0;
}

int FaultDisk::truncate(int fd, off_t size) {
  if (hurt(false)) return -1;
  touch(fd);
  return disk_->truncate(fd, size);
}

int FaultDisk::allocate(int fd, off_t offset, off_t size) {
  const struct stat st = stat_of(fd);
  off_t& end = allocated_[{st.st_dev, st.st_ino}];
  if (hurt(offset + size > end)) return -1;
  end = std::max(end, offset + size);
  return 0;
}

int FaultDisk::chown(int fd, uid_t uid, gid_t gid) {
  if (hurt(false)) return -1;
  touch(fd);
  return disk_->chown(fd, uid, gid);
}

int FaultDisk::chown_link(int directory, const char* name, uid_t uid, gid_t gid) {
  return hurt(false) ? -1 : disk_->chown_link(directory, name, uid, gid);
}

int FaultDisk::chmod(int fd, mode_t mode) {
  if (hurt(false)) return -1;
  touch(fd);
  return disk_->chmod(fd, mode);
}

int FaultDisk::setxattr(int fd, const char* name, const void* value, std::size_t size) {
  if (hurt(true)) return -1;
  touch(fd);
  return disk_->setxattr(fd, name, value, size);
}

int FaultDisk::removexattr(int fd, const char* name) {
  if (hurt(false)) return -1;
  touch(fd);
  return disk_->removexattr(fd, name);
}

void FaultDisk::put_content(const Dirty& dirty, const std::string& content) {
  check(::ftruncate(dirty.fd.get(), 0) == 0, "truncate");
  check(::pwrite(dirty.fd.get(), content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()),
        "write back");
}

void FaultDisk::revert_content(Survives survives) {
  for (auto& [inode, dirty] : dirty_) {
    std::string now(static_cast<std::size_t>(stat_of(dirty.fd.get()).st_size), '\0');
    check(::pread(dirty.fd.get(), now.data(), now.size(), 0) == static_cast<ssize_t>(now.size()), "read");
    // Bytes that were synced and are not written anew stay, also when the file is made shorter.
    const auto differs = std::mismatch(now.begin(), now.end(), dirty.content.begin(), dirty.content.end());
    const auto kept = static_cast<std::size_t>(differs.first - now.begin());
    const std::size_t half = kept + (now.size() - kept) / 2;
    if (survives == Survives::torn) {
      put_content(dirty, now.substr(0, half));
    } else if (survives == Survives::torn_zeros) {
      for (std::size_t i = kept + (now.size() - kept) / 4; i < half; ++i) now[i] = '\0';
      put_content(dirty, now);
    } else {
      put_content(dirty, dirty.content);
      const auto restored = base::write_attributes(*disk_, dirty.fd.get(), dirty.attributes, "file");
      check(restored.ok(), "attributes back");
    }
  }
}

void FaultDisk::revert(const NameChange& change) {
  const int at = change.directory.get();
  using Kind = NameChange::Kind;
  if (change.kind == Kind::created) check(::unlinkat(at, change.name.c_str(), 0) == 0, "uncreate");
  if (change.kind == Kind::renamed)
    check(::renameat(at, change.name.c_str(), at, change.from.c_str()) == 0, "rename back");
  if (!change.buried.empty())
    check(::renameat(graveyard_.get(), change.buried.c_str(), at, change.name.c_str()) == 0, "unbury");
  if (change.kind == Kind::made) std::filesystem::remove_all(path_of(at) + "/" + change.name);
  if (change.kind == Kind::unmade) check(::mkdirat(at, change.name.c_str(), change.mode) == 0, "make again");
}

void FaultDisk::revert_names() {
  for (auto change = names_.rbegin(); change != names_.rend(); ++change) revert(*change);
  names_.clear();
}

void FaultDisk::lose(Survives survives) {
  const bool content = survives == Survives::all || survives == Survives::content;
  const bool names = survives != Survives::nothing && survives != Survives::content;
  if (!content) revert_content(survives);
  if (!names) revert_names();
  settle();
}

void FaultDisk::settle() {
  for (const NameChange& change : names_)
    if (!change.buried.empty()) ::unlinkat(graveyard_.get(), change.buried.c_str(), 0);
  names_.clear();
  dirty_.clear();
  allocated_.clear();
}

}  // namespace auditshift::tests
