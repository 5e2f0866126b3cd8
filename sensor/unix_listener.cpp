// SPDX-License-Identifier: Apache-2.0
#include "sensor/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/ownership.h"

namespace auditshift::sensor {
namespace {

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return base::Error(base::Errc::invalid, path + ": too long for the name of a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Whether somebody listens there; a socket nobody listens on is removed.
base::Result<void> clear_stale(const sockaddr_un& address, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return base::Error::from_errno(errno, path);
  }
  if (!S_ISSOCK(info.st_mode)) return base::Error(base::Errc::exists, path + ": is there and is no socket");
  const base::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return base::Error::from_errno(errno, path);
  const int result = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (result == 0 || errno != ECONNREFUSED)
    return base::Error(base::Errc::busy, path + ": another process listens on it");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return base::Error::from_errno(errno, path);
  return {};
}

}  // namespace

base::Result<UnixListener> UnixListener::open(const std::string& path) {
  AUDITSHIFT_TRY(address, address_of(path));
  // Who may replace it would be asked instead of the sensor.
  const std::size_t slash = path.rfind('/');
  AUDITSHIFT_TRY_VOID(base::open_own_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1)));
  AUDITSHIFT_TRY_VOID(clear_stale(address, path));
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return base::Error::from_errno(errno, path);
  // The mode of the new file; fchmod() on a socket changes nothing in the file system.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return base::Error::from_errno(error, path);
  UnixListener listener(path, std::move(socket));
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return base::Error::from_errno(errno, path);
  listener.device_ = info.st_dev;
  listener.inode_ = info.st_ino;
  if (::listen(listener.socket_.get(), 64) != 0) return base::Error::from_errno(errno, path);
  return listener;
}

UnixListener::~UnixListener() {
  struct stat info {};
  if (socket_ && ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_)
    ::unlink(path_.c_str());
}

base::Result<base::Fd> UnixListener::accept() {
  base::Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
      return base::Error(base::Errc::busy, path_ + ": nobody waits");
    return base::Error::from_errno(errno, path_);
  }
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
    return base::Error::from_errno(errno, path_);
  if (credentials.uid != 0 && credentials.uid != ::geteuid())
    return base::Error(base::Errc::permission,
                       path_ + ": user " + std::to_string(credentials.uid) + " may not talk to the sensor");
  return peer;
}

}  // namespace auditshift::sensor
