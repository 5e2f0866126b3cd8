// SPDX-License-Identifier: Apache-2.0
#include "base/attributes.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <vector>

namespace auditshift::base {
namespace {

Result<std::map<std::string, std::string>> read_extended(int fd, std::string_view shown) {
  std::map<std::string, std::string> extended;
  ssize_t size = ::flistxattr(fd, nullptr, 0);
  if (size < 0) {
    if (errno == ENOTSUP) return extended;
    return Error::from_errno(errno, shown).context("cannot list extended attributes");
  }
  std::vector<char> names(static_cast<std::size_t>(size) + 1);
  size = ::flistxattr(fd, names.data(), names.size() - 1);
  if (size < 0) return Error::from_errno(errno, shown).context("cannot list extended attributes");
  for (const char* name = names.data(); name < names.data() + size;
       name += std::char_traits<char>::length(name) + 1) {
    const ssize_t length = ::fgetxattr(fd, name, nullptr, 0);
    if (length < 0) return Error::from_errno(errno, shown).context("cannot read extended attribute");
    std::string value(static_cast<std::size_t>(length) + 1, '\0');
    const ssize_t got = ::fgetxattr(fd, name, value.data(), value.size());
    if (got < 0) return Error::from_errno(errno, shown).context("cannot read extended attribute");
    value.resize(static_cast<std::size_t>(got));
    extended.emplace(name, std::move(value));
  }
  return extended;
}

Result<void> write_extended(Disk& disk, int fd, const std::map<std::string, std::string>& has,
                            const std::map<std::string, std::string>& wanted, std::string_view shown) {
  for (const auto& [name, value] : has) {
    // A label cannot be taken from a file, only changed; an ACL that the directory passed on can.
    if (wanted.contains(name) || name.starts_with("security.")) continue;
    if (disk.removexattr(fd, name.c_str()) != 0 && errno != ENODATA)
      return Error::from_errno(errno, shown).context("cannot remove extended attribute " + name);
  }
  for (const auto& [name, value] : wanted) {
    if (const auto old = has.find(name); old != has.end() && old->second == value) continue;
    if (disk.setxattr(fd, name.c_str(), value.data(), value.size()) != 0)
      return Error::from_errno(errno, shown).context("cannot keep extended attribute " + name);
  }
  return {};
}

}  // namespace

Result<FileAttributes> read_attributes(int fd, std::string_view shown) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return Error::from_errno(errno, shown);
  FileAttributes attributes;
  attributes.mode = st.st_mode & 07777;
  attributes.uid = st.st_uid;
  attributes.gid = st.st_gid;
  AUDITSHIFT_TRY(extended, read_extended(fd, shown));
  attributes.extended = std::move(extended);
  return attributes;
}

Result<void> write_attributes(Disk& disk, int fd, const FileAttributes& wanted, std::string_view shown) {
  AUDITSHIFT_TRY(has, read_attributes(fd, shown));
  if ((has.uid != wanted.uid || has.gid != wanted.gid) && disk.chown(fd, wanted.uid, wanted.gid) != 0)
    return Error::from_errno(errno, shown).context("cannot keep owner");
  AUDITSHIFT_TRY_VOID(write_extended(disk, fd, has.extended, wanted.extended, shown));
  // After chown and ACLs, both of which may change the mode.
  if (disk.chmod(fd, wanted.mode) != 0) return Error::from_errno(errno, shown).context("cannot keep mode");
  return {};
}

}  // namespace auditshift::base
