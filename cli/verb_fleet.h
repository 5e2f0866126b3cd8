// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/verbs.h"

namespace auditshift::cli {

/// The whole of a file named on the command line; `what` begins the message of an error.
base::Result<std::string> read_argument_file(const std::string& path, std::string_view what);

// `fleet ingest` and `fleet query`.
void add_fleet_store(CLI::App& fleet, const Context& context, Run& run);

}  // namespace auditshift::cli
