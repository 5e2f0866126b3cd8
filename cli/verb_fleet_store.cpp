// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "base/sysroot.h"
#include "base/text.h"
#include "cli/verb_fleet.h"
#include "migrate/fleet/query.h"
#include "migrate/fleet/read_directory.h"
#include "migrate/fleet/store.h"

namespace auditshift::cli {
namespace {

namespace fleet = migrate::fleet;
using base::Json;

struct FleetStoreOptions {
  std::string directory;
  std::string database;
  std::string sql;
  std::string format = "table";
  std::string output;
  JsonOption json;
};

struct Sums {
  std::size_t added = 0;
  std::size_t replaced = 0;
  std::size_t unchanged = 0;
};

std::string ingest_text(const Sums& sums, const fleet::DirectoryReading& reading) {
  std::string text = base::count_of(sums.added, "assessment") + " added, " + std::to_string(sums.replaced) +
                     " replaced, " + base::with_thousands(sums.unchanged) + " known already; " +
                     base::count_of(reading.other_documents, "other document") + "\n";
  for (const fleet::SkippedFile& file : reading.damaged)
    text += "not used: " + base::printable(file.file) + ": " + base::printable(file.reason) + "\n";
  return text;
}

Json ingest_json(const Sums& sums, const fleet::DirectoryReading& reading) {
  Json damaged = Json::array();
  for (const fleet::SkippedFile& file : reading.damaged)
    damaged.push_back({{"file", file.file}, {"reason", file.reason}});
  return {{"schema_version", "1.0"},      {"files", reading.files},
          {"added", sums.added},          {"replaced", sums.replaced},
          {"unchanged", sums.unchanged},  {"other_documents", reading.other_documents},
          {"damaged", std::move(damaged)}};
}

base::Result<int> ingest(const FleetStoreOptions& options, const Context& context) {
  AUDITSHIFT_TRY(directory, base::Sysroot::open(absolute_path(options.directory)));
  AUDITSHIFT_TRY(store, fleet::FleetStore::open(absolute_path(options.database)));
  AUDITSHIFT_TRY(hashes, store.hashes());
  Sums sums;
  const auto take = [&](const fleet::HostReport& report) -> base::Result<void> {
    AUDITSHIFT_TRY(added, store.add(report));
    ++(added == fleet::FleetStore::Added::added      ? sums.added
       : added == fleet::FleetStore::Added::replaced ? sums.replaced
                                                     : sums.unchanged);
    return {};
  };
  fleet::ReadOptions how;
  // A copy that nobody changes: it is asked by several threads.
  how.known = [&hashes](const std::string& hash) { return hashes.contains(hash); };
  const auto progress = context.progress();
  AUDITSHIFT_TRY(reading, fleet::read_directory(directory, how, take, *progress));
  AUDITSHIFT_TRY_VOID(store.finish());
  sums.unchanged += reading.known;
  AUDITSHIFT_TRY_VOID(write_result("", options.json.wanted() ? options.json.dump(ingest_json(sums, reading))
                                                             : ingest_text(sums, reading)));
  return static_cast<int>(reading.damaged.empty() ? kDone : kBlocked);
}

base::Result<int> query(const FleetStoreOptions& options) {
  AUDITSHIFT_TRY(database, fleet::FleetStore::open_read_only(absolute_path(options.database)));
  const bool as_json = options.json.wanted() || options.format == "json";
  const fleet::QueryFormat format = as_json                   ? fleet::QueryFormat::json
                                    : options.format == "csv" ? fleet::QueryFormat::csv
                                                              : fleet::QueryFormat::table;
  AUDITSHIFT_TRY(rows, fleet::run_query(database, options.sql, format));
  AUDITSHIFT_TRY_VOID(write_result(options.output, rows));
  return static_cast<int>(kDone);
}

void add_ingest(CLI::App& fleet, const Context& context, Run& run) {
  auto options = std::make_shared<FleetStoreOptions>();
  CLI::App* verb = fleet.add_subcommand(
      "ingest",
      "Puts many hosts' assessments into an SQLite file; what is in it already is left alone.\n\n"
      "  auditshift fleet ingest reports/ --db fleet.db\n\n"
      "Exit: 0, or 2 when a file could not be used.");
  verb->add_option("DIR", options->directory, "the directory with the assessments, any levels deep")
      ->required();
  verb->add_option("--db", options->database, "the database; created when it is not there")
      ->required()
      ->type_name("FILE");
  options->json.add_to(*verb);
  verb->callback([options, &context, &run] {
    run = [options, &context]() -> int {
      auto code = ingest(*options, context);
      return code ? *code : report(code.error());
    };
  });
}

void add_query(CLI::App& fleet, Run& run) {
  auto options = std::make_shared<FleetStoreOptions>();
  CLI::App* verb = fleet.add_subcommand(
      "query",
      "Asks the database, and can do nothing but read it. Tables and views: docs/fleet-reports.md.\n\n"
      "  auditshift fleet query --db fleet.db 'SELECT * FROM in_the_way'\n"
      "  auditshift fleet query --db fleet.db --format csv 'SELECT kernel, count(*) FROM latest GROUP BY 1'\n"
      "  auditshift fleet query --db fleet.db \"SELECT DeviceName FROM DeviceTvmInfoGathering\n"
      "    WHERE json_extract(AdditionalFields, '$.\\\"EBPF STATUS\\\"') = 0\"");
  verb->add_option("--db", options->database, "the database that `fleet ingest` made")
      ->required()
      ->type_name("FILE");
  verb->add_option("SQL", options->sql, "one statement")->required();
  verb->add_option("--format", options->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  options->json.add_to(*verb);
  verb->callback([options, &run] {
    run = [options]() -> int {
      auto code = query(*options);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace

void add_fleet_store(CLI::App& fleet, const Context& context, Run& run) {
  add_ingest(fleet, context, run);
  add_query(fleet, run);
}

}  // namespace auditshift::cli
