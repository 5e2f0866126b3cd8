// SPDX-License-Identifier: Apache-2.0
#include "base/atomic_write.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/ownership.h"

namespace auditshift::base {
namespace {

constexpr std::size_t kSuffixDigits = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string temporary_prefix(std::string_view name) {
  return "." + std::string(name.substr(0, 200)) + ".auditshift-";
}

std::string temporary_name(std::string_view name) {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof value, 0) != sizeof value)
    value = static_cast<std::uint64_t>(::getpid()) ^ reinterpret_cast<std::uintptr_t>(&value);
  std::string text = temporary_prefix(name);
  for (std::size_t i = 0; i < kSuffixDigits; ++i, value >>= 4) text += kHexDigits[value & 0xf];
  return text;
}

Result<void> set_attributes(Disk& disk, int fd, const WriteOptions& options, std::string_view shown) {
  if (options.uid || options.gid) {
    const uid_t uid = options.uid.value_or(static_cast<uid_t>(-1));
    const gid_t gid = options.gid.value_or(static_cast<gid_t>(-1));
    if (disk.chown(fd, uid, gid) != 0) return Error::from_errno(errno, shown).context("cannot set owner");
  }
  if (disk.chmod(fd, options.mode) != 0) return Error::from_errno(errno, shown).context("cannot set mode");
  return {};
}

Result<void> rename_and_sync(Disk& disk, int directory, const std::string& temporary, const std::string& name,
                             std::string_view shown) {
  if (disk.rename(directory, temporary.c_str(), name.c_str()) != 0) {
    const int rename_errno = errno;
    (void)disk.unlink(directory, temporary.c_str());  // it fails or not, the error above is the one to tell
    return Error::from_errno(rename_errno, shown);
  }
  if (disk.fsync(directory) != 0)
    return Error::from_errno(errno, shown).context("cannot sync the directory of");
  return {};
}

/// Writes a temporary file beside `name`, lets `dress` give it its attributes, and puts it in place.
Result<void> replace(Disk& disk, int directory, const std::string& name, std::string_view content,
                     const std::function<Result<void>(int)>& dress, std::string_view shown) {
  const std::string temporary = temporary_name(name);
  const Fd fd(
      disk.open(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return Error::from_errno(errno, shown).context("cannot create a temporary file beside it");
  const auto fill = [&]() -> Result<void> {
    AUDITSHIFT_TRY_VOID(write_all(disk, fd.get(), content, shown));
    AUDITSHIFT_TRY_VOID(dress(fd.get()));
    if (disk.fsync(fd.get()) != 0) return Error::from_errno(errno, shown);
    return {};
  };
  if (auto filled = fill(); !filled) {
    (void)disk.unlink(directory, temporary.c_str());
    return filled;
  }
  return rename_and_sync(disk, directory, temporary, name, shown);
}

}  // namespace

bool is_temporary_of(std::string_view entry, std::string_view name) {
  const std::string prefix = temporary_prefix(name);
  return entry.starts_with(prefix) && entry.size() == prefix.size() + kSuffixDigits &&
         entry.find_first_not_of(kHexDigits, prefix.size()) == std::string_view::npos;
}

Result<void> write_atomic_at(Disk& disk, int directory, const std::string& name, std::string_view content,
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
  const auto dress = [&](int fd) -> Result<void> {
    if (!old) return set_attributes(disk, fd, options, shown);
    AUDITSHIFT_TRY(attributes, read_attributes(old.get(), shown));
    return write_attributes(disk, fd, attributes, shown);
  };
  return replace(disk, directory, name, content, dress, shown);
}

Result<void> restore_file_at(Disk& disk, int directory, const std::string& name, std::string_view content,
                             const FileAttributes& attributes, std::string_view shown) {
  const auto dress = [&](int fd) { return write_attributes(disk, fd, attributes, shown); };
  return replace(disk, directory, name, content, dress, shown);
}

Result<void> restore_link_at(Disk& disk, int directory, const std::string& name, const std::string& target,
                             uid_t uid, gid_t gid, std::string_view shown) {
  const std::string temporary = temporary_name(name);
  if (disk.symlink(target.c_str(), directory, temporary.c_str()) != 0)
    return Error::from_errno(errno, shown).context("cannot create a temporary link beside it");
  struct stat st {};
  const bool known = ::fstatat(directory, temporary.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  if ((!known || st.st_uid != uid || st.st_gid != gid) &&
      disk.chown_link(directory, temporary.c_str(), uid, gid) != 0) {
    const int chown_errno = errno;
    (void)disk.unlink(directory, temporary.c_str());
    return Error::from_errno(chown_errno, shown).context("cannot keep owner");
  }
  return rename_and_sync(disk, directory, temporary, name, shown);
}

Result<void> write_file_atomic(const std::string& path, std::string_view content,
                               const WriteOptions& options) {
  std::error_code ec;
  std::filesystem::path target = std::filesystem::absolute(path, ec);
  if (ec) return Error(Errc::invalid, path + ": " + ec.message());
  target = target.lexically_normal();
  const Fd directory(::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return Error::from_errno(errno, target.parent_path().native());
  struct stat place {};
  if (::fstat(directory.get(), &place) != 0) return Error::from_errno(errno, path);
  const bool own_place = !strangers_may_write(place.st_uid, place.st_gid, place.st_mode);
  const std::shared_ptr<Disk> disk = kernel_disk();
  struct stat old {};
  if (::fstatat(directory.get(), target.filename().c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISLNK(old.st_mode)) {
      // A link that a stranger made, or could have put there, leads where the stranger wants something
      // overwritten.
      if (!is_trusted_owner(old.st_uid) || !own_place)
        return Error(Errc::permission, path + ": is a symbolic link that another user may have made");
      AUDITSHIFT_TRY(host, Sysroot::open("/"));
      AUDITSHIFT_TRY(resolved, host.resolve(target.native()));
      return write_file_atomic(resolved, content, options);
    }
    if (S_ISDIR(old.st_mode)) return Error::from_errno(EISDIR, path);
    if (!S_ISREG(old.st_mode)) return Error(Errc::invalid, path + ": not a regular file");
  } else if (errno != ENOENT) {
    return Error::from_errno(errno, path);
  }
  if (own_place)
    return write_atomic_at(*disk, directory.get(), target.filename().native(), content, options, path);
  // Owner and mode are new: those of an old file may be a stranger's choice.
  const auto dress = [&](int fd) { return set_attributes(*disk, fd, options, path); };
  return replace(*disk, directory.get(), target.filename().native(), content, dress, path);
}

}  // namespace auditshift::base
