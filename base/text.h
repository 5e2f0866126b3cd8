// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auditshift::base {

/// Text from the outside (rule keys, paths, process names) made safe for a terminal: control characters,
/// invalid UTF-8, and the Unicode controls that reorder or hide text become \xNN or \u{N}; a backslash stays.
std::string printable(std::string_view text);

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// Valid UTF-8 stays; each byte that is not part of it becomes U+FFFD.
std::string to_utf8(std::string_view text);

/// The candidate a person most likely meant, by edit distance (at most a third of the word), or nothing.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

/// A whole decimal number and nothing else.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// "1,234,567".
std::string with_thousands(std::uint64_t number);
/// "1 rule", "2 rules".
std::string count_of(std::uint64_t number, std::string_view singular, std::string_view plural = {});
/// "12.3 MiB".
std::string human_bytes(std::uint64_t bytes);

/// Standard base64 with padding (RFC 4648, section 4).
std::string base64(std::string_view bytes);
/// The bytes of such text, or nothing when it is none.
std::optional<std::string> from_base64(std::string_view text);

/// Breaks words at `width` columns; later lines begin with `indent` spaces. Long words are not broken.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace auditshift::base
