// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace auditshift::testing {

/// Rule lines that walk through the language: each field with each operator and kind of value on each list,
/// actions, arches, forms of -S, pairs of -C, watches, keys, spellings of options, and broken variants.
std::vector<std::string> generated_rules();

}  // namespace auditshift::testing
