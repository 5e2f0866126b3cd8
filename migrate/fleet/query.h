// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "migrate/fleet/database.h"

namespace auditshift::migrate::fleet {

enum class QueryFormat {
  table,  ///< for a person
  csv,    ///< RFC 4180; safe to open in a spreadsheet, as render_csv
  json,   ///< an array with an object per row; a column name that comes twice gets ":2"
};

/// The rows of one statement. REQUIRES: the database is open for reading only.
base::Result<std::string> run_query(Database& database, std::string_view sql, QueryFormat format);

}  // namespace auditshift::migrate::fleet
