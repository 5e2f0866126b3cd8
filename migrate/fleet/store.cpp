// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/store.h"

#include "base/json.h"
#include "migrate/fleet/store_schema.h"
#include "migrate/owner.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Json;
using base::Result;

SqlValue null_if_empty(const std::string& text) { return text.empty() ? SqlValue(nullptr) : SqlValue(text); }
SqlValue number(bool value) { return static_cast<std::int64_t>(value); }
SqlValue number(std::size_t value) { return static_cast<std::int64_t>(value); }
SqlValue rules_of(const HostReport& report, Owner owner) {
  return number(report.rules[static_cast<std::size_t>(owner)]);
}

/// What hunting queries look for: "EBPF STATUS" is true, false, or null when nobody knows.
std::string additional_fields(const HostReport& report) {
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  const Json fields = {
      {"EBPF STATUS", report.event_provider.empty() ? Json() : Json(report.event_provider == "ebpf")},
      {"EventProvider", text(report.event_provider)},
      {"AgentBuild", text(report.agent_build)},
      {"AuditState", text(report.audit_state)},
      {"Distribution", text(report.distribution)},
      {"DistributionVersion", text(report.distribution_version)},
      {"Kernel", text(report.kernel)},
      {"Verdict", to_string(report.verdict)}};
  return fields.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<void> insert_findings(Database& database, const HostReport& report, std::int64_t assessment) {
  AUDITSHIFT_TRY(insert, database.prepare("INSERT INTO finding VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  for (const ReportedFinding& finding : report.findings)
    AUDITSHIFT_TRY_VOID(insert.run({assessment, finding.id, finding.title,
                                    std::string(to_string(finding.severity)), number(finding.is_blocking()),
                                    number(finding.accepted), null_if_empty(finding.diagnosis)}));
  return {};
}

Result<void> insert_exclusions(Database& database, const HostReport& report, std::int64_t assessment) {
  AUDITSHIFT_TRY(insert, database.prepare(
                             "INSERT INTO exclusion VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"));
  for (const ReportedExclusion& exclusion : report.exclusions)
    AUDITSHIFT_TRY_VOID(insert.run({assessment, exclusion.id, null_if_empty(exclusion.intent),
                                    exclusion.result, null_if_empty(exclusion.kind),
                                    null_if_empty(exclusion.value), number(exclusion.dangers.size()),
                                    number(exclusion.serves_user_rules), number(exclusion.already_managed),
                                    number(exclusion.consent_needed), number(exclusion.carried_over)}));
  return {};
}

}  // namespace

Result<FleetStore> FleetStore::open(const std::string& path) {
  AUDITSHIFT_TRY(database, Database::open(path));
  AUDITSHIFT_TRY_VOID(migrate_schema(database));
  // A transaction for each host needs no wait for the disk in this mode; what a power cut takes back is whole
  // transactions, and the next ingest brings them again.
  AUDITSHIFT_TRY_VOID(database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"));
  return FleetStore(std::move(database));
}

Result<Database> FleetStore::open_read_only(const std::string& path) {
  AUDITSHIFT_TRY(database, Database::open_read_only(path));
  AUDITSHIFT_TRY_VOID(check_schema(database));
  return std::move(database);
}

Result<std::unordered_set<std::string>> FleetStore::hashes() {
  std::unordered_set<std::string> all;
  AUDITSHIFT_TRY(select, database_.prepare("SELECT content_hash FROM assessment"));
  while (true) {
    AUDITSHIFT_TRY(row, select.next());
    if (!row) return all;
    if (SqlValue value = select.value(0); auto* hash = std::get_if<std::string>(&value))
      all.insert(std::move(*hash));
  }
}

Result<std::int64_t> FleetStore::host_of(const HostReport& report) {
  AUDITSHIFT_TRY(insert,
                 database_.prepare("INSERT OR IGNORE INTO host (hostname, machine_id) VALUES (?1, ?2)"));
  AUDITSHIFT_TRY_VOID(insert.run({report.hostname, report.machine_id}));
  AUDITSHIFT_TRY(select, database_.prepare("SELECT id FROM host WHERE hostname = ?1 AND machine_id = ?2"));
  AUDITSHIFT_TRY_VOID(select.start({report.hostname, report.machine_id}));
  AUDITSHIFT_TRY(row, select.next());
  const SqlValue id = row ? select.value(0) : SqlValue(std::int64_t{0});
  return std::get<std::int64_t>(id);
}

Result<void> FleetStore::insert_assessment(const HostReport& report, std::int64_t host) {
  AUDITSHIFT_TRY(insert,
                 database_.prepare("INSERT INTO assessment VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                                   "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"));
  AUDITSHIFT_TRY_VOID(insert.run({host,
                                  base::format_utc(report.generated_at),
                                  report.hash,
                                  report.file,
                                  null_if_empty(report.tool_version),
                                  std::string(to_string(report.verdict)),
                                  number(report.needs_attention()),
                                  null_if_empty(report.next_step),
                                  null_if_empty(report.distribution),
                                  null_if_empty(report.distribution_name),
                                  null_if_empty(report.distribution_version),
                                  null_if_empty(report.kernel),
                                  null_if_empty(report.architecture),
                                  null_if_empty(report.audit_state),
                                  null_if_empty(report.sensor_tier),
                                  null_if_empty(report.agent),
                                  null_if_empty(report.agent_build),
                                  null_if_empty(report.event_provider),
                                  null_if_empty(report.expires),
                                  rules_of(report, Owner::defender),
                                  rules_of(report, Owner::user)}));
  const std::int64_t assessment = database_.last_row();
  AUDITSHIFT_TRY_VOID(insert_findings(database_, report, assessment));
  return insert_exclusions(database_, report, assessment);
}

Result<void> FleetStore::update_device(const HostReport& report, std::int64_t host) {
  // The row shows the newest assessment, in whatever order they come.
  AUDITSHIFT_TRY(newer, database_.prepare("SELECT 1 FROM assessment WHERE host = ?1 AND generated_at > ?2"));
  const std::string time = base::format_utc(report.generated_at);
  AUDITSHIFT_TRY_VOID(newer.start({host, time}));
  AUDITSHIFT_TRY(is_older, newer.next());
  if (is_older) return {};
  AUDITSHIFT_TRY(replace,
                 database_.prepare(
                     "INSERT OR REPLACE INTO DeviceTvmInfoGathering VALUES (?1, ?1, ?2, ?3, 'Linux', ?4)"));
  return replace.run({time, report.machine_id, report.hostname, additional_fields(report)});
}

Result<FleetStore::Added> FleetStore::add(const HostReport& report) {
  AUDITSHIFT_TRY(transaction, Transaction::begin(database_));
  AUDITSHIFT_TRY(host, host_of(report));
  Added added = Added::added;
  {
    AUDITSHIFT_TRY(select, database_.prepare(
                               "SELECT content_hash FROM assessment WHERE host = ?1 AND generated_at = ?2"));
    AUDITSHIFT_TRY_VOID(select.start({host, base::format_utc(report.generated_at)}));
    AUDITSHIFT_TRY(row, select.next());
    if (row) {
      const SqlValue value = select.value(0);
      const auto* hash = std::get_if<std::string>(&value);
      if (hash != nullptr && *hash >= report.hash) return Added::unchanged;
      added = Added::replaced;
    }
  }
  if (added == Added::replaced) {
    AUDITSHIFT_TRY(erase, database_.prepare("DELETE FROM assessment WHERE host = ?1 AND generated_at = ?2"));
    AUDITSHIFT_TRY_VOID(erase.run({host, base::format_utc(report.generated_at)}));
  }
  AUDITSHIFT_TRY_VOID(insert_assessment(report, host));
  AUDITSHIFT_TRY_VOID(update_device(report, host));
  AUDITSHIFT_TRY_VOID(transaction.commit());
  return added;
}

Result<void> FleetStore::finish() {
  // Not possible while somebody reads; then the next one does it.
  auto plain = database_.run("PRAGMA journal_mode = DELETE");
  if (!plain && plain.error().code() == base::Errc::busy) return {};
  return plain;
}

}  // namespace auditshift::migrate::fleet
