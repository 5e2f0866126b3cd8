// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/fd.h"

namespace auditshift::sensor {

/// Closes files that were removed, in a thread of its own. With a file's last descriptor its blocks are
/// freed, and where the disk is told of that (mount option discard) this takes its time: ext4_free_blocks(),
/// fs/ext4/mballoc.c.
class FileCloser {
 public:
  /// Closes a file.
  using Close = std::function<void(base::Fd file)>;

  /// At most `files_waiting` files wait, so that the space they take is bounded.
  explicit FileCloser(
      std::size_t files_waiting, Close close = [](base::Fd) {});
  FileCloser(const FileCloser&) = delete;
  FileCloser& operator=(const FileCloser&) = delete;
  /// Waits until all are closed.
  ~FileCloser();

  /// Takes the file and comes back at once; when too many wait, the caller closes it.
  void close(base::Fd removed);

 private:
  void run();

  const std::size_t files_waiting_;
  const Close close_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<base::Fd> removed_;  ///< the first is being closed
  bool ending_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace auditshift::sensor
