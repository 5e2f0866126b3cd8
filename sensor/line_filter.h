// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "sensor/format.h"

namespace auditshift::sensor {

/// Chooses lines of a stream by conditions KEY=VALUE, the same ones for every format:
///
///   kind, pid, ppid, uid   equal; pid and uid (the real one) are those of the process that acted
///   executable             of the process that acted, equal
///   path                   one of the names of a file event is this, or stands somewhere below it
///
/// Of several values for one key one must hold, and this for every key. Records of losses always pass: what
/// is missing may have been what was asked for.
class LineFilter {
 public:
  /// Errors: Errc::invalid, with the key that was probably meant.
  static base::Result<LineFilter> parse(Format format, const std::vector<std::string>& conditions);

  /// Without conditions everything passes.
  bool empty() const { return wanted_.empty(); }
  /// `line` with or without its newline. What is no event does not pass.
  bool passes(std::string_view line) const;

 private:
  explicit LineFilter(Format format) : format_(format) {}

  bool holds(const base::Json& event, std::string_view kind, std::string_view key,
             const std::vector<std::string>& values) const;

  Format format_;
  std::map<std::string, std::vector<std::string>, std::less<>> wanted_;
};

}  // namespace auditshift::sensor
