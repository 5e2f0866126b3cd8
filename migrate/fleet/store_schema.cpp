// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/store_schema.h"

#include <array>

#include "migrate/fleet/store.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Errc;
using base::Error;
using base::Result;

/// In the file's header, so that it is known whose it is: "asFl".
constexpr std::int64_t kApplicationId = 0x6173466c;

// Empty text would be one more way to say "unknown": absent facts are NULL. No STRICT tables: SQLite
// before 3.37 could not read the file.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE host (
  id INTEGER PRIMARY KEY,
  hostname TEXT NOT NULL,
  machine_id TEXT NOT NULL,
  UNIQUE (hostname, machine_id)
);
CREATE TABLE assessment (
  id INTEGER PRIMARY KEY,
  host INTEGER NOT NULL REFERENCES host ON DELETE CASCADE,
  generated_at TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  file TEXT NOT NULL,
  tool_version TEXT,
  verdict TEXT NOT NULL,
  needs_attention INTEGER NOT NULL,
  next_step TEXT,
  distribution TEXT,
  distribution_name TEXT,
  distribution_version TEXT,
  kernel TEXT,
  architecture TEXT,
  audit_state TEXT,
  sensor_tier TEXT,
  agent TEXT,
  agent_build TEXT,
  event_provider TEXT,
  expires TEXT,
  defender_rules INTEGER NOT NULL,
  user_rules INTEGER NOT NULL,
  UNIQUE (host, generated_at)
);
CREATE INDEX assessment_by_hash ON assessment (content_hash);
CREATE TABLE finding (
  assessment INTEGER NOT NULL REFERENCES assessment ON DELETE CASCADE,
  check_id TEXT NOT NULL,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  blocking INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  diagnosis TEXT
);
CREATE INDEX finding_by_assessment ON finding (assessment);
CREATE INDEX finding_by_check ON finding (check_id);
CREATE TABLE exclusion (
  assessment INTEGER NOT NULL REFERENCES assessment ON DELETE CASCADE,
  exclusion_id TEXT NOT NULL,
  intent TEXT,
  result TEXT NOT NULL,
  kind TEXT,
  value TEXT,
  dangers INTEGER NOT NULL,
  serves_user_rules INTEGER NOT NULL,
  already_managed INTEGER NOT NULL,
  consent_needed INTEGER NOT NULL,
  carried_over INTEGER NOT NULL
);
CREATE INDEX exclusion_by_assessment ON exclusion (assessment);
CREATE TABLE DeviceTvmInfoGathering (
  Timestamp TEXT NOT NULL,
  LastSeenTime TEXT NOT NULL,
  DeviceId TEXT NOT NULL,
  DeviceName TEXT NOT NULL,
  OSPlatform TEXT NOT NULL,
  AdditionalFields TEXT NOT NULL,
  PRIMARY KEY (DeviceName, DeviceId)
);

CREATE VIEW latest AS
  SELECT host.hostname, host.machine_id, assessment.*
  FROM host JOIN assessment ON assessment.id =
    (SELECT id FROM assessment AS newest WHERE newest.host = host.id ORDER BY generated_at DESC LIMIT 1);
CREATE VIEW verdicts AS
  SELECT verdict, count(*) AS hosts, round(100.0 * count(*) / (SELECT count(*) FROM host), 1) AS percent
  FROM latest GROUP BY verdict ORDER BY hosts DESC;
CREATE VIEW in_the_way AS
  SELECT latest.hostname, latest.verdict, finding.check_id, finding.title, finding.diagnosis
  FROM latest JOIN finding ON finding.assessment = latest.id
  WHERE finding.blocking ORDER BY latest.hostname, finding.check_id;
CREATE VIEW findings AS
  SELECT finding.check_id, finding.title, count(DISTINCT latest.id) AS hosts,
    count(DISTINCT CASE WHEN finding.blocking THEN latest.id END) AS in_the_way
  FROM latest JOIN finding ON finding.assessment = latest.id
  GROUP BY finding.check_id ORDER BY in_the_way DESC, hosts DESC;
CREATE VIEW undecided_exclusions AS
  SELECT latest.hostname, exclusion.exclusion_id, exclusion.intent, exclusion.result
  FROM latest JOIN exclusion ON exclusion.assessment = latest.id
  WHERE exclusion.consent_needed ORDER BY latest.hostname;
CREATE VIEW common_exclusions AS
  SELECT exclusion.kind, exclusion.value, count(DISTINCT latest.id) AS hosts,
    sum(exclusion.consent_needed) AS undecided, sum(exclusion.already_managed) AS managed,
    max(exclusion.dangers) AS dangers
  FROM latest JOIN exclusion ON exclusion.assessment = latest.id
  WHERE exclusion.kind IS NOT NULL
  GROUP BY exclusion.kind, exclusion.value ORDER BY hosts DESC;
CREATE VIEW burn_down AS
  WITH day(day) AS (SELECT DISTINCT substr(generated_at, 1, 10) FROM assessment)
  SELECT day.day, assessment.verdict, count(*) AS hosts
  FROM day JOIN host JOIN assessment ON assessment.id =
    (SELECT id FROM assessment AS newest
     WHERE newest.host = host.id AND newest.generated_at < day.day || '~' ORDER BY generated_at DESC LIMIT 1)
  GROUP BY day.day, assessment.verdict ORDER BY day.day, hosts DESC;
CREATE VIEW stale AS
  SELECT hostname, machine_id, generated_at,
    CAST(julianday('now') - julianday(generated_at) AS INTEGER) AS days_old
  FROM latest WHERE days_old > 30 ORDER BY days_old DESC;
)sql";

/// The statements that lead from one version to the next. Never changed once released; new ones are added.
constexpr std::array<const char*, kStoreVersion> kMigrations = {kVersion1};

}  // namespace

Result<void> check_schema(Database& database) {
  AUDITSHIFT_TRY(version, database.number("PRAGMA user_version"));
  AUDITSHIFT_TRY(application, database.number("PRAGMA application_id"));
  AUDITSHIFT_TRY(objects, database.number("SELECT count(*) FROM sqlite_master"));
  if (application == 0 && version == 0 && objects == 0) return {};
  if (application != kApplicationId)
    return Error(Errc::invalid, database.path() + " is a database of another program")
        .with_hint("name a file of its own with --db");
  if (version > kStoreVersion)
    return Error(Errc::unsupported,
                 database.path() + " was written by a newer auditshift (tables of version " +
                     std::to_string(version) + ", this program knows " + std::to_string(kStoreVersion) + ")")
        .with_hint("use that auditshift, or another file");
  return {};
}

Result<void> migrate_schema(Database& database) {
  AUDITSHIFT_TRY_VOID(check_schema(database));
  while (true) {
    // Asked inside the transaction: two programs may begin at the same time.
    AUDITSHIFT_TRY(transaction, Transaction::begin(database));
    AUDITSHIFT_TRY(version, database.number("PRAGMA user_version"));
    if (version >= kStoreVersion) return transaction.commit();
    AUDITSHIFT_TRY_VOID(database.run(kMigrations[static_cast<std::size_t>(version)]));
    AUDITSHIFT_TRY_VOID(database.run("PRAGMA application_id = " + std::to_string(kApplicationId)));
    AUDITSHIFT_TRY_VOID(database.run("PRAGMA user_version = " + std::to_string(version + 1)));
    AUDITSHIFT_TRY_VOID(transaction.commit());
  }
}

}  // namespace auditshift::migrate::fleet
