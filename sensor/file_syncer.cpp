// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_syncer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace auditshift::sensor {

FileSyncer::FileSyncer(std::chrono::milliseconds interval, std::size_t files_waiting, Sync sync)
    : interval_(interval),
      files_waiting_(files_waiting),
      sync_(std::move(sync)),
      thread_([this] { run(); }) {}

FileSyncer::~FileSyncer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

int FileSyncer::fdatasync_of(int fd) { return ::fdatasync(fd) == 0 ? 0 : errno; }

void FileSyncer::follow(int fd) {
  auto file = std::make_shared<base::Fd>(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  const std::lock_guard lock(mutex_);
  if (dirty_ && file_) former_.push_back(std::move(file_));
  if (former_.size() > files_waiting_) former_.pop_front();
  dirty_ = false;
  file_ = std::move(file);
  changed_.notify_one();
}

void FileSyncer::written() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(dirty_, true)) return;
  changed_.notify_one();
}

std::string FileSyncer::error() const {
  const std::lock_guard lock(mutex_);
  return text_of(error_);
}

std::string FileSyncer::text_of(int error) {
  return error == 0 ? std::string() : std::string("fdatasync: ") + std::strerror(error);
}

void FileSyncer::run() {
  std::unique_lock lock(mutex_);
  auto next = std::chrono::steady_clock::now();
  for (;;) {
    // Not wait(): what GCC 12 makes of it is not in the C++ library of older systems.
    while (!changed_.wait_for(lock, std::chrono::hours(1),
                              [this] { return dirty_ || !former_.empty() || ending_; })) {
    }
    if (!former_.empty()) {
      const auto file = std::move(former_.front());
      former_.pop_front();
      force(lock, file);
    } else if (dirty_ && (ending_ || std::chrono::steady_clock::now() >= next)) {
      dirty_ = false;
      next = std::chrono::steady_clock::now() + interval_;
      const auto file = file_;
      force(lock, file);
    } else if (dirty_) {
      changed_.wait_until(lock, next, [this] { return !dirty_ || !former_.empty() || ending_; });
    } else {
      return;  // ending
    }
  }
}

void FileSyncer::force(std::unique_lock<std::mutex>& lock, const std::shared_ptr<base::Fd>& file) {
  lock.unlock();
  const int error = file && *file ? sync_(file->get()) : EBADF;
  lock.lock();
  error_ = error;
}

}  // namespace auditshift::sensor
