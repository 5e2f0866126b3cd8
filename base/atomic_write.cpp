// SPDX-License-Identifier: Apache-2.0
#include "base/atomic_write.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace auditshift::base {
namespace {

std::string random_suffix() {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof value, 0) != sizeof value)
    value = static_cast<std::uint64_t>(::getpid()) ^ reinterpret_cast<std::uintptr_t>(&value);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 16; ++i, value >>= 4) text += kDigits[value & 0xf];
  return text;
}

Result<void> copy_xattrs(int from, int to, std::string_view shown) {
  ssize_t size = ::flistxattr(from, nullptr, 0);
  if (size < 0) {
    if (errno == ENOTSUP) return {};
    return Error::from_errno(errno, shown).context("cannot list extended attributes");
  }
  std::vector<char> names(static_cast<std::size_t>(size) + 1);
  size = ::flistxattr(from, names.data(), names.size() - 1);
  if (size < 0) return Error::from_errno(errno, shown).context("cannot list extended attributes");
  for (const char* name = names.data(); name < names.data() + size;
       name += std::char_traits<char>::length(name) + 1) {
    const ssize_t length = ::fgetxattr(from, name, nullptr, 0);
    if (length < 0) return Error::from_errno(errno, shown).context("cannot read extended attribute");
    std::vector<char> value(static_cast<std::size_t>(length) + 1);
    const ssize_t got = ::fgetxattr(from, name, value.data(), value.size());
    if (got < 0) return Error::from_errno(errno, shown).context("cannot read extended attribute");
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(got), 0) != 0)
      return Error::from_errno(errno, shown).context("cannot keep extended attribute " + std::string(name));
  }
  return {};
}

/// Gives the new file the owner, mode and extended attributes of the one it replaces.
Result<void> keep_attributes(int old_fd, int new_fd, std::string_view shown) {
  struct stat st {};
  if (::fstat(old_fd, &st) != 0) return Error::from_errno(errno, shown);
  struct stat mine {};
  if (::fstat(new_fd, &mine) != 0) return Error::from_errno(errno, shown);
  if ((mine.st_uid != st.st_uid || mine.st_gid != st.st_gid) && ::fchown(new_fd, st.st_uid, st.st_gid) != 0)
    return Error::from_errno(errno, shown).context("cannot keep owner");
  AUDITSHIFT_TRY_VOID(copy_xattrs(old_fd, new_fd, shown));
  // After chown and ACLs, both of which may change the mode.
  if (::fchmod(new_fd, st.st_mode & 07777) != 0)
    return Error::from_errno(errno, shown).context("cannot keep mode");
  return {};
}

Result<void> set_attributes(int fd, const WriteOptions& options, std::string_view shown) {
  if (options.uid || options.gid) {
    const uid_t uid = options.uid.value_or(static_cast<uid_t>(-1));
    const gid_t gid = options.gid.value_or(static_cast<gid_t>(-1));
    if (::fchown(fd, uid, gid) != 0) return Error::from_errno(errno, shown).context("cannot set owner");
  }
  if (::fchmod(fd, options.mode) != 0) return Error::from_errno(errno, shown).context("cannot set mode");
  return {};
}

}  // namespace

Result<void> write_atomic_at(int directory, const std::string& name, std::string_view content,
                             const WriteOptions& options, std::string_view shown) {
  // O_PATH needs no read permission, but extended attributes need a real descriptor.
  const Fd old(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!old && errno != ENOENT) return Error::from_errno(errno, shown);
  if (old) {
    struct stat st {};
    if (::fstat(old.get(), &st) != 0) return Error::from_errno(errno, shown);
    if (S_ISDIR(st.st_mode)) return Error::from_errno(EISDIR, shown);
    if (!S_ISREG(st.st_mode)) return Error(Errc::invalid, std::string(shown) + ": not a regular file");
  }

  const std::string temporary = "." + name.substr(0, 200) + ".auditshift-" + random_suffix();
  const Fd fd(
      ::openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return Error::from_errno(errno, shown).context("cannot create a temporary file beside it");

  const auto fill = [&]() -> Result<void> {
    AUDITSHIFT_TRY_VOID(write_all(fd.get(), content, shown));
    AUDITSHIFT_TRY_VOID(old ? keep_attributes(old.get(), fd.get(), shown)
                            : set_attributes(fd.get(), options, shown));
    if (::fsync(fd.get()) != 0) return Error::from_errno(errno, shown);
    if (::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0)
      return Error::from_errno(errno, shown);
    return {};
  };
  Result<void> filled = fill();
  if (!filled) {
    ::unlinkat(directory, temporary.c_str(), 0);
    return filled;
  }
  if (::fsync(directory) != 0) return Error::from_errno(errno, shown).context("cannot sync the directory of");
  return {};
}

Result<void> Sysroot::write_atomic(std::string_view path, std::string_view content,
                                   const WriteOptions& options) const {
  std::string target(path);
  if (auto info = lstat(path); info && info->is_symlink()) {
    AUDITSHIFT_TRY(resolved, resolve(path));
    target = resolved;
  }
  AUDITSHIFT_TRY(parent, open_parent(target));
  return write_atomic_at(parent.directory.get(), parent.name, content, options, path);
}

Result<void> write_file_atomic(const std::string& path, std::string_view content,
                               const WriteOptions& options) {
  std::error_code ec;
  std::filesystem::path target = std::filesystem::absolute(path, ec);
  if (ec) return Error(Errc::invalid, path + ": " + ec.message());
  AUDITSHIFT_TRY(host, Sysroot::open("/"));
  return host.write_atomic(target.lexically_normal().native(), content, options);
}

}  // namespace auditshift::base
