// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "migrate/fleet/fleet.h"
#include "migrate/html.h"

namespace auditshift::migrate::fleet {

/// The fleet over time as stacked columns, with its numbers in a table. Nothing for a single day.
Html html_burn_down(const Fleet& fleet);

/// Every host with its findings, each a line that opens; filters that are style alone.
Html html_hosts(const Fleet& fleet);

/// A link to a host of html_hosts(), by its place in the fleet.
void host_link(Html& page, const Fleet& fleet, std::size_t place);

/// What a host is called in the report.
std::string name_of(const HostReport& report);

}  // namespace auditshift::migrate::fleet
