// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_set>

#include "base/result.h"
#include "migrate/fleet/database.h"
#include "migrate/fleet/host_report.h"

namespace auditshift::migrate::fleet {

/// The tables of a fleet database (docs/fleet-reports.md); kept in the file's user_version.
inline constexpr int kStoreVersion = 1;

/// Assessments in an SQLite file. One thread at a time.
class FleetStore {
 public:
  enum class Added { added, replaced, unchanged };

  /// Creates the file, or brings its tables up to date. A file of a newer version, or of another program, is
  /// refused and not touched.
  static base::Result<FleetStore> open(const std::string& path);
  /// For queries; nothing is created or brought up to date.
  static base::Result<Database> open_read_only(const std::string& path);

  /// Hashes of the documents that are in it.
  base::Result<std::unordered_set<std::string>> hashes();

  /// One transaction: the assessment with its findings and exclusions, and the device's row. Of two documents
  /// for the same host and second, the one with the greater hash stays, so that the order of calls does not
  /// matter. REQUIRES: `report.hash` is set.
  base::Result<Added> add(const HostReport& report);

  /// Leaves one plain file behind, which can be copied. Not calling this loses nothing.
  base::Result<void> finish();

 private:
  explicit FleetStore(Database database) : database_(std::move(database)) {}
  base::Result<std::int64_t> host_of(const HostReport& report);
  base::Result<void> insert_assessment(const HostReport& report, std::int64_t host);
  base::Result<void> update_device(const HostReport& report, std::int64_t host);

  Database database_;
};

}  // namespace auditshift::migrate::fleet
