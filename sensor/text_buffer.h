// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

namespace auditshift::sensor {

/// Growing text for the hot path: appending is a comparison and a copy, inlined. It never shrinks.
class TextBuffer {
 public:
  void put(char c) { *reserve(1) = c, ++size_; }
  void put(std::string_view text) {
    std::memcpy(reserve(text.size()), text.data(), text.size());
    size_ += text.size();
  }

  /// Room for `count` more bytes; valid until the next call. Commit with add().
  char* reserve(std::size_t count) {
    if (capacity_ - size_ < count + 1) grow(count + 1);
    return data_.get() + size_;
  }
  void add(std::size_t count) { size_ += count; }

  void truncate(std::size_t size) { size_ = size; }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  /// REQUIRES: not empty.
  char back() const { return data_[size_ - 1]; }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  void grow(std::size_t count);

  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace auditshift::sensor
