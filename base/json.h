// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace auditshift::base {

/// JSON whose objects keep the order in which keys were added, so that the same facts give the same bytes.
using Json = nlohmann::ordered_json;

enum class JsonStyle { compact, pretty };

/// Text of `value`, ending in a newline; never fails: bytes that are no UTF-8 become U+FFFD.
std::string dump_json(const Json& value, JsonStyle style);

/// Parses strict JSON, at most 200 levels deep. `name` is the document's name in messages, which give line
/// and column.
Result<Json> parse_json(std::string_view text, std::string_view name);

}  // namespace auditshift::base
