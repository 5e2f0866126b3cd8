// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace auditshift::sensor {

/// A listening stream socket in the file system, mode 0600. Removed when this goes, unless something else
/// lies under its name by then.
class UnixListener {
 public:
  /// Takes the place of a socket nobody listens on any more. Errc::busy when somebody does.
  static base::Result<UnixListener> open(const std::string& path);

  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) = delete;
  ~UnixListener();

  int descriptor() const { return socket_.get(); }
  const std::string& path() const { return path_; }

  /// One waiting peer, not blocking; Errc::busy when there is none. A peer that is neither root nor of this
  /// process's user (SO_PEERCRED) is turned away: Errc::permission.
  base::Result<base::Fd> accept();

 private:
  UnixListener(std::string path, base::Fd socket) : path_(std::move(path)), socket_(std::move(socket)) {}

  std::string path_;
  base::Fd socket_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace auditshift::sensor
