// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace auditshift::base {

/// What diff -u prints for two texts, with three lines of context; empty when they are equal. The names stand
/// in its first two lines ("/dev/null" for a file that is not there). Texts that are not UTF-8 or hold NUL
/// bytes: "Binary files … differ". Very different large texts give a valid difference, not the shortest.
std::string unified_diff(std::string_view old_name, std::string_view new_name, std::string_view old_text,
                         std::string_view new_text);

}  // namespace auditshift::base
