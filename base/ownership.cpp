// SPDX-License-Identifier: Apache-2.0
#include "base/ownership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace auditshift::base {

bool is_trusted_owner(uid_t uid) { return uid == 0 || uid == ::geteuid(); }

bool strangers_may_write(uid_t uid, gid_t gid, mode_t mode) {
  if (!is_trusted_owner(uid) || (mode & S_IWOTH) != 0) return true;
  const bool own_group = gid == 0 || (::geteuid() != 0 && gid == ::getegid());
  return (mode & S_IWGRP) != 0 && !own_group;
}

Result<Fd> open_own_directory(std::string_view path) {
  const std::string name(path);
  Fd directory(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error::from_errno(errno, name);
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) return Error::from_errno(errno, name);
  const bool only_adds = is_trusted_owner(info.st_uid) && (info.st_mode & S_ISVTX) != 0;
  if (strangers_may_write(info.st_uid, info.st_gid, info.st_mode) && !only_adds) {
    return Error(Errc::permission, name + ": other users may replace files in this directory")
        .with_hint("chown root: " + name + " && chmod go-w " + name);
  }
  return directory;
}

Result<void> require_own_file(int fd, std::string_view shown) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Error::from_errno(errno, shown);
  const std::string name(shown);
  if (!is_trusted_owner(info.st_uid))
    return Error(Errc::permission, name + ": belongs to user " + std::to_string(info.st_uid));
  // 0: it was removed meanwhile.
  if (info.st_nlink > 1) return Error(Errc::permission, name + ": has other names (hard links)");
  return {};
}

}  // namespace auditshift::base
