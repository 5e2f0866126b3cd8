// SPDX-License-Identifier: Apache-2.0
#include "sensor/path.h"

#include <cstring>

namespace auditshift::sensor {

void PathBuilder::start_at_root() {
  size_ = 0;
  rootless_ = false;
  cut_ = false;
}

void PathBuilder::start_at_components(std::string_view components, bool rootless) {
  start_at_root();
  rootless_ = rootless;
  while (!components.empty()) {
    if (components.back() == '\0') components.remove_suffix(1);
    const std::size_t previous = components.rfind('\0');
    const std::size_t begin = previous == std::string_view::npos ? 0 : previous + 1;
    push(components.substr(begin));
    components = components.substr(0, begin);
  }
}

void PathBuilder::add(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      pop();
    } else {
      push(name);
    }
  }
}

std::string_view PathBuilder::text() const {
  if (size_ == 0) return rootless_ ? std::string_view() : std::string_view("/");
  return {buffer_.data(), size_};
}

void PathBuilder::push(std::string_view name) {
  const bool slash = size_ != 0 || !rootless_;
  if (size_ + name.size() + (slash ? 1 : 0) > buffer_.size()) {
    cut_ = true;
    return;
  }
  if (slash) buffer_[size_++] = '/';
  std::memcpy(buffer_.data() + size_, name.data(), name.size());
  size_ += name.size();
}

void PathBuilder::pop() {
  const std::size_t slash = std::string_view(buffer_.data(), size_).rfind('/');
  size_ = slash == std::string_view::npos ? 0 : slash;
}

}  // namespace auditshift::sensor
