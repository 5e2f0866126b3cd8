// SPDX-License-Identifier: Apache-2.0
#include "sensor/raw_record.h"

#include <algorithm>
#include <cstring>

namespace auditshift::sensor {

Abi abi_of(std::uint8_t abi) {
  switch (abi) {
    case AS_ABI_X86_64:
      return Abi::x86_64;
    case AS_ABI_X32:
      return Abi::x32;
    case AS_ABI_I386:
      return Abi::i386;
    case AS_ABI_ARM64:
      return Abi::arm64;
    case AS_ABI_ARM:
      return Abi::arm;
    default:
      return Abi::unknown;
  }
}

bool RawRecord::parse(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof fixed) return false;
  std::memcpy(&fixed, bytes.data(), sizeof fixed);
  std::size_t offset = sizeof fixed;
  for (std::size_t slot = 0; slot < AS_TEXTS; ++slot) {
    const std::size_t length = fixed.texts[slot].length;
    if (length > bytes.size() - offset) return false;
    texts_[slot] = {reinterpret_cast<const char*>(bytes.data()) + offset, length};
    offset += length;
  }
  return true;
}

void RawRecord::set_text(as_text_slot slot, std::string_view text, std::uint8_t flags) {
  if (text.size() > AS_PATH_SIZE) {
    text = text.substr(0, AS_PATH_SIZE);
    flags |= AS_TEXT_TRUNCATED;
  }
  texts_[slot] = text;
  fixed.texts[slot].length = static_cast<std::uint16_t>(text.size());
  fixed.texts[slot].flags = flags | AS_TEXT_PRESENT;
}

std::uint64_t RawRecord::argument(std::uint8_t number) const {
  if (number == AS_ARGUMENT_RESULT) return static_cast<std::uint64_t>(fixed.result);
  return number == 0 || number > AS_ARGUMENTS ? 0 : fixed.arguments[number - 1];
}

std::span<const std::byte> RawRecord::bytes() {
  std::size_t size = sizeof fixed;
  for (const std::string_view text : texts_) size += text.size();
  fixed.size = static_cast<std::uint32_t>(size);
  buffer_.resize(size);
  std::memcpy(buffer_.data(), &fixed, sizeof fixed);
  std::size_t offset = sizeof fixed;
  for (const std::string_view text : texts_) {
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), buffer_.data() + offset);
    offset += text.size();
  }
  return buffer_;
}

std::string components_of(std::string_view path) {
  std::string components;
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!name.empty()) components.append(name).push_back('\0');
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  return components;
}

}  // namespace auditshift::sensor
