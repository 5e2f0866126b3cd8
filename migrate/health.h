// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace auditshift::migrate {

/// One field of `mdatp health`.
struct HealthField {
  std::string value;     ///< without quotes and without the [managed] suffix
  bool managed = false;  ///< set by the managed configuration
};

/// What `mdatp health` prints: "key   : value" lines, possibly after an ATTENTION line; or its JSON output.
struct Health {
  std::map<std::string, HealthField, std::less<>> fields;
  std::string attention;  ///< text of the ATTENTION line, empty without one

  bool empty() const { return fields.empty(); }
  /// The value of a field, or empty when it is not there.
  std::string get(std::string_view field) const;
};

Health parse_health(std::string_view text);

/// "Mar 23, 2024 at 08:19:40 PM" as a day; other forms: nothing.
std::optional<std::chrono::sys_days> parse_health_date(std::string_view text);

}  // namespace auditshift::migrate
