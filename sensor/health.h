// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace auditshift::sensor {

/// What is true of the sensor now, as named values in the order to show them.
///
/// Text and names follow `mdatp health`, so that what reads that output reads this: the key padded to 44
/// columns, ": ", then the value; strings in quotes, arrays as JSON, " [managed]" behind what the managed
/// configuration sets.
class HealthReport {
 public:
  void add(std::string key, base::Json value, bool managed = false);

  std::string text() const;
  base::Json json() const;
  /// The value alone, as `--field` prints it: strings in quotes. Nothing when there is no such key.
  std::optional<std::string> field(std::string_view key) const;
  std::vector<std::string_view> keys() const;

  /// From json(), for the reader at the other end of a socket.
  static HealthReport from_json(const base::Json& json);

 private:
  struct Item {
    std::string key;
    base::Json value;
    bool managed = false;
  };
  std::vector<Item> items_;
};

}  // namespace auditshift::sensor
