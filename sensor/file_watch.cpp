// SPDX-License-Identifier: Apache-2.0
#include "sensor/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace auditshift::sensor {
namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

FileWatch::FileWatch(std::string path) : path_(std::move(path)), last_(look()) {}

FileWatch::Signature FileWatch::look() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return std::nullopt;
  return Signature(std::in_place, info.st_dev, info.st_ino, info.st_size, nanoseconds(info.st_mtim),
                   nanoseconds(info.st_ctim));
}

bool FileWatch::changed() { return std::exchange(last_, look()) != last_; }

}  // namespace auditshift::sensor
