// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.h"
#include "migrate/fleet/fleet.h"
#include "migrate/render_text.h"

namespace auditshift::migrate::fleet {

inline constexpr const char* kFleetSchemaVersion = "1.0";

/// The published document (docs/schema/fleet-report.schema.json); each host on a line of its own, whatever
/// the style of the rest.
std::string render_json(const Fleet& fleet, base::JsonStyle style);

/// One line per host (RFC 4180, CRLF, a header line, every field quoted), missing ones included. A field that
/// a spreadsheet would take for a formula begins with an apostrophe; control characters are made visible.
std::string render_csv(const Fleet& fleet);

/// For a terminal: the sums, what stands in the way, and the hosts to look at first.
std::string render_text(const Fleet& fleet, const TextOptions& options);

/// One file with everything, down to the findings of each host; no network, no script.
std::string render_html(const Fleet& fleet);

/// What to do now, in words; one sentence each.
std::vector<std::string> next_steps(const Fleet& fleet);

}  // namespace auditshift::migrate::fleet
