// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "migrate/fleet/database.h"

namespace auditshift::migrate::fleet {

/// Makes or updates the tables, one transaction per version.
base::Result<void> migrate_schema(Database& database);

/// An error when the file is another program's or of a newer version; an empty file is fine.
base::Result<void> check_schema(Database& database);

}  // namespace auditshift::migrate::fleet
