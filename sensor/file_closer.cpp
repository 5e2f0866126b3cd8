// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_closer.h"

#include <chrono>
#include <utility>

namespace auditshift::sensor {

FileCloser::FileCloser(std::size_t files_waiting, Close close)
    : files_waiting_(files_waiting), close_(std::move(close)), thread_([this] { run(); }) {}

FileCloser::~FileCloser() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void FileCloser::close(base::Fd removed) {
  if (!removed) return;
  const std::lock_guard lock(mutex_);
  if (removed_.size() >= files_waiting_) return;  // closed when the caller goes on, without the lock
  removed_.push_back(std::move(removed));
  changed_.notify_one();
}

void FileCloser::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // Not wait(): what GCC 12 makes of it is not in the C++ library of older systems.
    while (!changed_.wait_for(lock, std::chrono::hours(1), [this] { return !removed_.empty() || ending_; })) {
    }
    if (removed_.empty()) return;
    base::Fd file = std::move(removed_.front());
    lock.unlock();
    close_(std::move(file));
    lock.lock();
    removed_.pop_front();
  }
}

}  // namespace auditshift::sensor
