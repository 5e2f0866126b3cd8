// SPDX-License-Identifier: Apache-2.0
#include "base/sysroot.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>

namespace auditshift::base {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's MAXSYMLINKS, path_resolution(7)

FileInfo to_info(const struct stat& st) {
  FileInfo info;
  info.mode = st.st_mode;
  info.uid = st.st_uid;
  info.gid = st.st_gid;
  info.size = static_cast<std::uint64_t>(st.st_size);
  info.inode = st.st_ino;
  info.device = st.st_dev;
  info.links = st.st_nlink;
  info.modified = st.st_mtim;
  return info;
}

std::deque<std::string> split_path(std::string_view path) {
  std::deque<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    if (slash > at && path.substr(at, slash - at) != ".") parts.emplace_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

/// openat2 wants a path relative to the root; RESOLVE_IN_ROOT treats "/" as the root as well.
int sys_openat2(int dir, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC));
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof how));
}

bool openat2_works(int root) {
  const Fd probe(sys_openat2(root, ".", O_PATH | O_DIRECTORY, 0));
  return probe.valid();
}

Result<std::string> read_link_at(int dir, const char* name, std::string_view shown) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t n = ::readlinkat(dir, name, target.data(), target.size());
    if (n < 0) return Error::from_errno(errno, shown);
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Result<void> check_path(std::string_view path) {
  if (path.empty() || path.front() != '/')
    return Error(Errc::invalid, "'" + std::string(path) + "' is not an absolute path");
  if (path.find('\0') != std::string_view::npos) return Error(Errc::invalid, "path holds a NUL byte");
  return {};
}

}  // namespace

bool FileInfo::is_regular() const { return S_ISREG(mode); }
bool FileInfo::is_directory() const { return S_ISDIR(mode); }
bool FileInfo::is_symlink() const { return S_ISLNK(mode); }

Sysroot::Sysroot(std::string root, Fd fd, Resolver resolver, std::shared_ptr<Disk> disk)
    : root_(std::move(root)), fd_(std::move(fd)), resolver_(resolver), disk_(std::move(disk)), live_(false) {
  struct stat mine {};
  struct stat real {};
  live_ = ::fstat(fd_.get(), &mine) == 0 && ::stat("/", &real) == 0 && mine.st_dev == real.st_dev &&
          mine.st_ino == real.st_ino;
}

Result<Sysroot> Sysroot::open(const std::string& root, Resolver resolver, std::shared_ptr<Disk> disk) {
  Fd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return Error::from_errno(errno, root).context("cannot use root directory");
  if (resolver == Resolver::automatic)
    resolver = openat2_works(fd.get()) ? Resolver::openat2 : Resolver::walk;
  return Sysroot(root, std::move(fd), resolver, std::move(disk));
}

Result<Fd> Sysroot::open_at(std::string_view path, int flags, mode_t mode) const {
  AUDITSHIFT_TRY_VOID(check_path(path));
  if (resolver_ == Resolver::walk) return open_by_walk(path, flags, mode);
  const std::string text(path);
  while (true) {
    Fd fd(sys_openat2(fd_.get(), text.c_str(), flags, mode));
    if (fd) return fd;
    // A rename or mount raced with the resolution of "..": the kernel asks to try again, openat2(2).
    if (errno != EAGAIN && errno != EINTR) return Error::from_errno(errno, text);
  }
}

Result<Fd> Sysroot::open_by_walk(std::string_view path, int flags, mode_t mode) const {
  const std::string shown(path);
  std::deque<std::string> todo = split_path(path);
  const bool wants_directory = path.size() > 1 && path.back() == '/';
  std::vector<Fd> stack;  // directories entered below the root, so that ".." needs no look at the tree
  int links = 0;
  const auto here = [&] { return stack.empty() ? fd_.get() : stack.back().get(); };

  while (!todo.empty()) {
    const std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == "..") {
      if (!stack.empty()) stack.pop_back();
      continue;
    }
    const bool last = todo.empty();
    const int step_flags = last && (flags & O_PATH) == 0 ? flags | O_NOFOLLOW : O_PATH | O_NOFOLLOW;
    Fd next(::openat(here(), part.c_str(), step_flags | O_CLOEXEC, mode));
    const int open_errno = errno;
    struct stat st {};
    if (!next) {
      const bool is_link = (open_errno == ELOOP || open_errno == ENOTDIR) &&
                           ::fstatat(here(), part.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                           S_ISLNK(st.st_mode);
      if (!is_link) return Error::from_errno(open_errno, shown);
    } else if (::fstat(next.get(), &st) != 0) {
      return Error::from_errno(errno, shown);
    }
    if (S_ISLNK(st.st_mode)) {
      if (last && !wants_directory && (flags & O_NOFOLLOW) != 0) {
        if ((flags & O_PATH) != 0) return next;
        return Error::from_errno(ELOOP, shown);
      }
      if (++links > kMaxLinks) return Error::from_errno(ELOOP, shown);
      // A magic link of /proc has a target text as well; read as text it stays inside the root.
      AUDITSHIFT_TRY(target,
                     next ? read_link_at(next.get(), "", shown) : read_link_at(here(), part.c_str(), shown));
      if (!target.empty() && target.front() == '/') stack.clear();
      std::deque<std::string> parts = split_path(target);
      todo.insert(todo.begin(), parts.begin(), parts.end());
      continue;
    }
    if (last) {
      if ((wants_directory || (flags & O_DIRECTORY) != 0) && !S_ISDIR(st.st_mode))
        return Error::from_errno(ENOTDIR, shown);
      return next;
    }
    if (!S_ISDIR(st.st_mode)) return Error::from_errno(ENOTDIR, shown);
    stack.push_back(std::move(next));
  }
  // The path ended in a directory that is already open ("/", "a/..", or a link to one).
  Fd fd(::openat(here(), ".", flags | O_CLOEXEC));
  if (!fd) return Error::from_errno(errno, shown);
  return fd;
}

Result<Sysroot::Parent> Sysroot::open_parent(std::string_view path) const {
  AUDITSHIFT_TRY_VOID(check_path(path));
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  Parent parent;
  parent.name = std::string(path.substr(slash + 1));
  if (parent.name.empty() || parent.name == "." || parent.name == "..")
    return Error(Errc::invalid, std::string(path) + ": does not name a file");
  AUDITSHIFT_TRY(directory, open_at(slash == 0 ? "/" : path.substr(0, slash), O_RDONLY | O_DIRECTORY, 0));
  parent.directory = std::move(directory);
  return parent;
}

Result<Fd> Sysroot::open_file(std::string_view path, int flags) const {
  if ((flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE)
    return Error(Errc::invalid,
                 std::string(path) + ": files are created by write_atomic and open_append only");
  const int extra = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY;
  return open_at(path, flags | extra, 0);
}

Result<std::string> Sysroot::read_file(std::string_view path, std::size_t limit) const {
  AUDITSHIFT_TRY(fd, open_file(path, O_RDONLY));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, path);
  if (S_ISDIR(st.st_mode)) return Error::from_errno(EISDIR, path);
  if (!S_ISREG(st.st_mode)) return Error(Errc::invalid, std::string(path) + ": not a regular file");
  return read_all(fd.get(), limit, path);
}

Result<FileInfo> Sysroot::stat(std::string_view path) const {
  AUDITSHIFT_TRY(fd, open_at(path, O_PATH, 0));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, path);
  return to_info(st);
}

Result<FileInfo> Sysroot::lstat(std::string_view path) const {
  AUDITSHIFT_TRY(fd, open_at(path, O_PATH | O_NOFOLLOW, 0));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Error::from_errno(errno, path);
  return to_info(st);
}

bool Sysroot::exists(std::string_view path) const { return open_at(path, O_PATH, 0).ok(); }

Result<std::string> Sysroot::read_link(std::string_view path) const {
  AUDITSHIFT_TRY(fd, open_at(path, O_PATH | O_NOFOLLOW, 0));
  return read_link_at(fd.get(), "", path);
}

Result<std::vector<DirectoryEntry>> Sysroot::list(std::string_view path) const {
  AUDITSHIFT_TRY(fd, open_at(path, O_RDONLY | O_DIRECTORY, 0));
  struct CloseDir {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };
  std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd.get()));
  if (!dir) return Error::from_errno(errno, path);
  const int dir_fd = fd.release();  // closedir closes it

  std::vector<DirectoryEntry> entries;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat st {};
    // A name that vanished since is no entry any more.
    if (::fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
      entries.push_back({std::string(name), to_info(st)});
    errno = 0;
  }
  if (errno != 0) return Error::from_errno(errno, path);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<std::string> Sysroot::resolve(std::string_view path) const {
  AUDITSHIFT_TRY_VOID(check_path(path));
  std::deque<std::string> todo = split_path(path);
  std::vector<std::string> done;
  int links = 0;
  const auto join = [&] {
    std::string text;
    for (const std::string& part : done) text += "/" + part;
    return text.empty() ? std::string("/") : text;
  };
  while (!todo.empty()) {
    const std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(part);
    AUDITSHIFT_TRY(info, lstat(join()));
    if (!info.is_symlink()) {
      if (!todo.empty() && !info.is_directory()) return Error::from_errno(ENOTDIR, path);
      continue;
    }
    if (++links > kMaxLinks) return Error::from_errno(ELOOP, path);
    AUDITSHIFT_TRY(target, read_link(join()));
    done.pop_back();
    if (!target.empty() && target.front() == '/') done.clear();
    std::deque<std::string> parts = split_path(target);
    todo.insert(todo.begin(), parts.begin(), parts.end());
  }
  return join();
}

Result<std::string> read_all(int fd, std::size_t limit, std::string_view name) {
  std::string content;
  struct stat st {};
  if (::fstat(fd, &st) == 0 && st.st_size > 0) {
    if (static_cast<std::uint64_t>(st.st_size) > limit)
      return Error(Errc::too_large, std::string(name) + ": " + std::to_string(st.st_size) +
                                        " bytes, more than the limit of " + std::to_string(limit));
    content.reserve(static_cast<std::size_t>(st.st_size) + 1);
  }
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n == 0) return content;
    if (n < 0) {
      if (errno == EINTR) continue;
      return Error::from_errno(errno, name);
    }
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > limit)
      return Error(Errc::too_large,
                   std::string(name) + ": more than the limit of " + std::to_string(limit) + " bytes");
  }
}

Result<void> write_all(int fd, std::string_view content, std::string_view name) {
  return write_all(*kernel_disk(), fd, content, name);
}

}  // namespace auditshift::base
