// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace auditshift::sensor {

FileWatch::FileWatch(std::string path)
    : path_(std::move(path)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  watch();
  last_ = look();
}

void FileWatch::watch() {
  if (watching_ || !inotify_) return;
  const std::size_t slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash);
  watching_ = ::inotify_add_watch(inotify_.get(), directory.c_str(),
                                  IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                      IN_DELETE_SELF | IN_MOVE_SELF) >= 0;
}

FileWatch::Signature FileWatch::look() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return std::nullopt;
  return Signature(std::in_place, info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                   info.st_mtim.tv_nsec);
}

bool FileWatch::changed() {
  alignas(inotify_event) char events[4096];
  for (ssize_t got = 0; inotify_ && (got = ::read(inotify_.get(), events, sizeof events)) > 0;) {
    for (char* at = events; at < events + got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      // The directory itself went: a new one of its name is another watch.
      if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) watching_ = false;
      at += sizeof(inotify_event) + event->len;
    }
  }
  watch();
  return std::exchange(last_, look()) != last_;
}

}  // namespace auditshift::sensor
