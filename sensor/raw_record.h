// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/record.h"
#include "sensor/event.h"

namespace auditshift::sensor {

/// The ABI that a record names (AS_ABI_*).
Abi abi_of(std::uint8_t abi);

/// A record of the kernel side (bpf/record.h) taken apart, so that what it lacks can be put in, and put
/// together again for the decoder.
class RawRecord {
 public:
  as_record fixed{};

  /// Takes `bytes` apart; they must outlive this. False when the lengths do not add up.
  bool parse(std::span<const std::byte> bytes);

  std::string_view text(as_text_slot slot) const { return texts_[slot]; }
  std::uint8_t flags(as_text_slot slot) const { return fixed.texts[slot].flags; }
  /// Puts in a text, cut where it is longer than the decoder takes. It must outlive this.
  void set_text(as_text_slot slot, std::string_view text, std::uint8_t flags);

  /// An argument of the call, counted from 1, or its result (AS_ARGUMENT_RESULT); 0 where there is none.
  std::uint64_t argument(std::uint8_t number) const;

  /// All of it in one piece, with its size set. Valid until the next call.
  std::span<const std::byte> bytes();

 private:
  std::array<std::string_view, AS_TEXTS> texts_{};
  std::vector<std::byte> buffer_;
};

/// Names in the order in which a record has them, the last one first: "/a/b" → "b\0a\0".
std::string components_of(std::string_view path);

}  // namespace auditshift::sensor
