// SPDX-License-Identifier: Apache-2.0
#include "base/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace auditshift::base {
namespace {

class KernelDisk final : public Disk {
 public:
  int open(int directory, const char* name, int flags, mode_t mode) override {
    return ::openat(directory, name, flags | O_CLOEXEC, mode);
  }
  ssize_t write(int fd, const void* data, std::size_t size) override { return ::write(fd, data, size); }
  int fsync(int fd) override { return ::fsync(fd); }
  int rename(int directory, const char* from, const char* to) override {
    return ::renameat(directory, from, directory, to);
  }
  int unlink(int directory, const char* name) override { return ::unlinkat(directory, name, 0); }
  int rmdir(int directory, const char* name) override { return ::unlinkat(directory, name, AT_REMOVEDIR); }
  int mkdir(int directory, const char* name, mode_t mode) override {
    return ::mkdirat(directory, name, mode);
  }
  int symlink(const char* target, int directory, const char* name) override {
    return ::symlinkat(target, directory, name);
  }
  int truncate(int fd, off_t size) override { return ::ftruncate(fd, size); }
  int allocate(int fd, off_t offset, off_t size) override {
    return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
  }
  int chown(int fd, uid_t uid, gid_t gid) override { return ::fchown(fd, uid, gid); }
  int chown_link(int directory, const char* name, uid_t uid, gid_t gid) override {
    return ::fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW);
  }
  int chmod(int fd, mode_t mode) override { return ::fchmod(fd, mode); }
  int setxattr(int fd, const char* name, const void* value, std::size_t size) override {
    return ::fsetxattr(fd, name, value, size, 0);
  }
  int removexattr(int fd, const char* name) override { return ::fremovexattr(fd, name); }
};

}  // namespace

std::shared_ptr<Disk> kernel_disk() {
  static const std::shared_ptr<Disk> disk = std::make_shared<KernelDisk>();
  return disk;
}

}  // namespace auditshift::base
