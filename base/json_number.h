// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "base/json.h"

namespace auditshift::base {

/// A whole number that fits into `Number`. Json::get() takes every number: fractions, and what is out of
/// range, for which C++ defines no result. Throws a Json::exception, as get() does of what is no number.
template <std::integral Number>
Number whole_number(const Json& value) {
  if (value.is_number_unsigned() && std::in_range<Number>(value.get<std::uint64_t>()))
    return static_cast<Number>(value.get<std::uint64_t>());
  if (value.is_number_integer() && !value.is_number_unsigned() &&
      std::in_range<Number>(value.get<std::int64_t>()))
    return static_cast<Number>(value.get<std::int64_t>());
  throw Json::other_error::create(501,
                                  value.is_number()
                                      ? value.dump() + " is not a whole number in range"
                                      : std::string("a whole number is wanted, not ") + value.type_name(),
                                  nullptr);
}

}  // namespace auditshift::base
