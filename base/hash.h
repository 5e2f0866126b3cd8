// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace auditshift::base {

/// SHA-256 (FIPS 180-4) of the bytes, 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);
/// The same as 32 bytes.
std::string sha256_bytes(std::string_view bytes);

}  // namespace auditshift::base
