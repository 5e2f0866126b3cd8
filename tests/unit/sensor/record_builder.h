// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/record.h"

namespace auditshift::sensor {

/// Writes records as the kernel side does. Texts must be added in the order of their slots.
class RecordBuilder {
 public:
  explicit RecordBuilder(as_kind kind) {
    record.kind = static_cast<std::uint8_t>(kind);
    record.syscall = -1;
    record.pid = 100;
    record.tid = 101;
    record.start_ns = 5;
    record.flags = AS_RECORD_RESULT;
  }

  RecordBuilder& syscall(as_abi abi, int number, std::int64_t result = 0) {
    record.abi = static_cast<std::uint8_t>(abi);
    record.syscall = number;
    record.result = result;
    return *this;
  }
  RecordBuilder& argument(int number, std::uint64_t value) {
    record.arguments[number - 1] = value;
    return *this;
  }
  RecordBuilder& text(as_text_slot slot, std::string_view bytes, int flags = 0) {
    record.texts[slot].length = static_cast<std::uint16_t>(bytes.size());
    record.texts[slot].flags = static_cast<std::uint8_t>(flags | AS_TEXT_PRESENT);
    data_ += bytes;
    return *this;
  }

  std::vector<std::byte> bytes() const {
    std::vector<std::byte> result((sizeof record + data_.size() + 7) / 8 * 8);
    as_record copy = record;
    copy.size = static_cast<std::uint32_t>(result.size());
    std::memcpy(result.data(), &copy, sizeof copy);
    std::memcpy(result.data() + sizeof copy, data_.data(), data_.size());
    return result;
  }

  as_record record{};

 private:
  std::string data_;
};

}  // namespace auditshift::sensor
