// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace auditshift::migrate::outside {

/// A reply as `busctl call` and `busctl get-property` print it: the type signature, then every basic value,
/// an array's length in front of its elements. Strings are quoted and C-escaped. (`busctl --json` came with
/// systemd 240, too late for Red Hat 8.)
struct BusReply {
  std::string signature;            ///< "a(ssssuu)"
  std::vector<std::string> values;  ///< unquoted
};

base::Result<BusReply> parse_bus_reply(std::string_view text);

}  // namespace auditshift::migrate::outside
