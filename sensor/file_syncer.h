// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/fd.h"

namespace auditshift::sensor {

/// Forces what is written to a file to the disk (fdatasync), in a thread of its own: a disk that takes its
/// time does not keep the writer waiting. What was written is forced an interval later, or when the disk is
/// done with what came before. The thread has the rights and blocked signals of whoever makes this.
class FileSyncer {
 public:
  /// Forces a descriptor's data; an errno, or 0.
  using Sync = std::function<int(int fd)>;

  /// At most `files_waiting` files that are no longer written to wait to be forced; beyond that the oldest
  /// are left to the kernel, which writes them within half a minute or so (vm.dirty_expire_centisecs).
  FileSyncer(std::chrono::milliseconds interval, std::size_t files_waiting, Sync sync = fdatasync_of);
  FileSyncer(const FileSyncer&) = delete;
  FileSyncer& operator=(const FileSyncer&) = delete;
  /// Waits until all that was written is forced.
  ~FileSyncer();

  /// From now on `fd` is written to. What was written to the file before is forced all the same, now.
  void follow(int fd);
  /// Something was written.
  void written();
  /// Why the last attempt failed; empty when it did not. What was not forced may be lost: the kernel tells
  /// this once and forgets it (fsync(2)).
  std::string error() const;

  static int fdatasync_of(int fd);
  /// Of what that gave, for people; empty for 0.
  static std::string text_of(int error);

 private:
  void run();
  /// Forces it without the lock, and keeps the error.
  void force(std::unique_lock<std::mutex>& lock, const std::shared_ptr<base::Fd>& file);

  const std::chrono::milliseconds interval_;
  const std::size_t files_waiting_;
  const Sync sync_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<base::Fd> file_;                ///< a duplicate of what is written to
  std::deque<std::shared_ptr<base::Fd>> former_;  ///< with something to be forced
  bool dirty_ = false, ending_ = false;
  int error_ = 0;
  std::thread thread_;  ///< last: it uses all of the above
};

}  // namespace auditshift::sensor
