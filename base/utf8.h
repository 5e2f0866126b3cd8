// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace auditshift::base {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< bytes; 0: the text does not begin with UTF-8
};

/// What a text begins with (RFC 3629: no surrogates, no overlong forms). REQUIRES: it is not empty.
CodePoint decode_utf8(std::string_view text);

/// Controls, and format characters that hide or reorder what a person reads (Unicode TR 36).
bool is_unsafe(std::uint32_t code_point);

}  // namespace auditshift::base
