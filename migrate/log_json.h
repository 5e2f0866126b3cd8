// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "auditd/log.h"
#include "base/result.h"

namespace auditshift::migrate {

/// The statistics of an audit log as a file of a capture: numbers and names, no command lines and no user
/// data.
std::string format_log_statistics(const auditd::LogStatistics& log);
base::Result<auditd::LogStatistics> parse_log_statistics(std::string_view text, std::string_view name);

}  // namespace auditshift::migrate
