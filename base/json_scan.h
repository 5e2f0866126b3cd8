// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace auditshift::base {

/// A JSON value and where it stands in its text, so that an editor can change one place and leave every other
/// byte as it is.
struct JsonSpan {
  enum class Type { object, array, string, other };
  Type type = Type::other;
  std::size_t begin = 0;      ///< of the value's first byte
  std::size_t end = 0;        ///< behind its last byte
  std::string key;            ///< of an object's member, unescaped
  std::size_t key_begin = 0;  ///< of the member's opening quote
  std::string text;           ///< of a string, unescaped
  std::vector<JsonSpan> children;

  /// The members with this key: none, one, or several where the text repeats it.
  std::vector<const JsonSpan*> members(std::string_view name) const;
};

/// Reads strict JSON, with a byte order mark in front or without. At most 200 levels deep.
Result<JsonSpan> scan_json(std::string_view text, std::string_view name);

/// The text as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace auditshift::base
