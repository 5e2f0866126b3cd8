// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

namespace auditshift::base {

/// The system calls that change a disk. Each function is the call of its name, with that call's arguments,
/// its result and its errno; names are single components below an open directory.
///
/// A Sysroot changes its tree through one of these and in no other way, so that a test can let any single
/// call fail, or lose whatever was not synced when the power went.
class Disk {
 public:
  virtual ~Disk() = default;
  /// openat(2), with O_CLOEXEC added; for descriptors that are written through this object.
  virtual int open(int directory, const char* name, int flags, mode_t mode) = 0;
  virtual ssize_t write(int fd, const void* data, std::size_t size) = 0;
  virtual int fsync(int fd) = 0;  ///< of a file's content and attributes, or of a directory's names
  virtual int rename(int directory, const char* from, const char* to) = 0;
  virtual int unlink(int directory, const char* name) = 0;
  virtual int rmdir(int directory, const char* name) = 0;
  virtual int mkdir(int directory, const char* name, mode_t mode) = 0;
  virtual int symlink(const char* target, int directory, const char* name) = 0;
  virtual int truncate(int fd, off_t size) = 0;
  /// fallocate(2) with FALLOC_FL_KEEP_SIZE: space for bytes yet to be written.
  virtual int allocate(int fd, off_t offset, off_t size) = 0;
  virtual int chown(int fd, uid_t uid, gid_t gid) = 0;
  /// fchownat(2) of the name itself, symbolic links not followed.
  virtual int chown_link(int directory, const char* name, uid_t uid, gid_t gid) = 0;
  virtual int chmod(int fd, mode_t mode) = 0;
  virtual int setxattr(int fd, const char* name, const void* value, std::size_t size) = 0;
  virtual int removexattr(int fd, const char* name) = 0;
};

/// The running kernel's; one object for the whole process.
std::shared_ptr<Disk> kernel_disk();

}  // namespace auditshift::base
