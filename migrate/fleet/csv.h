// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace auditshift::migrate::fleet {

/// Adds one record (RFC 4180, CRLF), every field quoted. A field that a spreadsheet would take for a formula
/// begins with an apostrophe; control characters are made visible.
void add_csv_line(std::string& out, const std::vector<std::string>& fields);

}  // namespace auditshift::migrate::fleet
