// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "migrate/fleet/query.h"
#include "sample_fleet.h"

namespace auditshift::migrate::fleet {
namespace {

using ::testing::HasSubstr;
using Added = FleetStore::Added;

class FleetStoreTest : public ::testing::Test {
 protected:
  static HostReport report(const std::string& host, const std::string& time, const std::string& verdict,
                           const std::string& hash) {
    auto json = small_assessment(host, time, verdict);
    json["agent"] = {{"kind", "mdatp"}, {"subsystem", verdict == "already-switched" ? "ebpf" : "auditd"}};
    json["findings"] = {{{"id", "AUD003"},
                         {"title", "Audit is immutable"},
                         {"severity", "medium"},
                         {"blocks", "mandatory"},
                         {"accepted", false},
                         {"diagnosis", "d"}}};
    auto parsed = parse_host_report(text_of(json), host + ".json");
    if (!parsed) throw std::runtime_error(parsed.error().message());
    (*parsed)->hash = hash;
    return **std::move(parsed);
  }
  Added add(const HostReport& report) {
    auto store = FleetStore::open(path());
    if (!store) throw std::runtime_error(store.error().message());
    const auto added = store->add(report);
    if (!added) throw std::runtime_error(added.error().message());
    EXPECT_TRUE(store->finish());
    return *added;
  }
  std::string ask(const std::string& sql, QueryFormat format = QueryFormat::json) {
    auto database = FleetStore::open_read_only(path());
    if (!database) return database.error().message();
    const auto rows = run_query(*database, sql, format);
    return rows ? *rows : rows.error().message();
  }
  base::Json rows(const std::string& sql) { return base::Json::parse(ask(sql)); }
  void damage(const std::string& sql) {
    auto database = Database::open(path());
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run(sql));
  }
  std::string path() const { return tree_.real("/fleet.db"); }

  tests::TemporaryTree tree_;
};

TEST_F(FleetStoreTest, TakesEachDocumentOnce) {
  const auto first = report("a", "2026-09-01T00:00:00Z", "blocked", "h1");
  EXPECT_EQ(add(first), Added::added);
  EXPECT_EQ(add(first), Added::unchanged);
  EXPECT_EQ(add(report("a", "2026-09-02T00:00:00Z", "already-switched", "h2")), Added::added);
  // Two documents for the same moment: the order in which they come does not matter.
  EXPECT_EQ(add(report("a", "2026-09-01T00:00:00Z", "ready", "h0")), Added::unchanged);
  EXPECT_EQ(add(report("a", "2026-09-01T00:00:00Z", "ready", "h9")), Added::replaced);
  EXPECT_EQ(add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1")), Added::unchanged);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM assessment")[0]["n"], 2);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM finding")[0]["n"], 2) << "those of the replaced one are gone";
  auto store = FleetStore::open(path());
  ASSERT_TRUE(store);
  EXPECT_THAT(*store->hashes(), ::testing::UnorderedElementsAre("h2", "h9"));
}

TEST_F(FleetStoreTest, TheDeviceTableShowsTheNewest) {
  add(report("a", "2026-09-02T00:00:00Z", "already-switched", "h2"));
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  const auto device = rows("SELECT * FROM DeviceTvmInfoGathering");
  ASSERT_EQ(device.size(), 1U);
  EXPECT_EQ(device[0]["DeviceName"], "a");
  EXPECT_EQ(device[0]["DeviceId"], "m-a");
  EXPECT_EQ(device[0]["LastSeenTime"], "2026-09-02T00:00:00Z");
  const auto fields = base::Json::parse(device[0]["AdditionalFields"].get<std::string>());
  EXPECT_EQ(fields["EBPF STATUS"], true);
  EXPECT_EQ(
      rows(
          "SELECT json_extract(AdditionalFields, '$.\"EBPF STATUS\"') AS e FROM DeviceTvmInfoGathering")[0]
                                                                                                        ["e"],
      1);
}

TEST_F(FleetStoreTest, EveryViewAnswers) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  add(report("a", "2026-09-02T00:00:00Z", "already-switched", "h2"));
  add(report("b", "2026-09-02T00:00:00Z", "blocked", "h3"));
  EXPECT_EQ(rows("SELECT hostname, verdict FROM latest ORDER BY 1").dump(),
            R"([{"hostname":"a","verdict":"already-switched"},{"hostname":"b","verdict":"blocked"}])");
  EXPECT_EQ(rows("SELECT * FROM burn_down ORDER BY day, verdict").dump(),
            R"([{"day":"2026-09-01","verdict":"blocked","hosts":1},)"
            R"({"day":"2026-09-02","verdict":"already-switched","hosts":1},)"
            R"({"day":"2026-09-02","verdict":"blocked","hosts":1}])");
  EXPECT_EQ(rows("SELECT * FROM findings")[0]["hosts"], 2);
  for (const char* view : {"verdicts", "in_the_way", "undecided_exclusions", "common_exclusions", "stale"})
    EXPECT_TRUE(rows(std::string("SELECT * FROM ") + view).is_array()) << view;
}

TEST_F(FleetStoreTest, IsReadableByItsOwnerOnly) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal")) << "one plain file is left";
}

TEST_F(FleetStoreTest, QueriesCanOnlyRead) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  const std::string before = tree_.read("/fleet.db");
  for (const std::string& sql :
       {std::string("DELETE FROM host"), std::string("INSERT INTO host VALUES (9, 'x', 'y')"),
        std::string("CREATE TABLE t (a)"), std::string("CREATE TEMP TABLE t (a)"),
        "ATTACH '" + tree_.real("/other.db") + "' AS other", "VACUUM INTO '" + tree_.real("/copy.db") + "'",
        std::string("PRAGMA user_version = 7"), std::string("PRAGMA journal_mode = OFF"),
        std::string("PRAGMA writable_schema = ON"), std::string("SELECT load_extension('x.so')"),
        std::string("BEGIN"), std::string("SELECT 1; SELECT 2"), std::string("SELECT 1; DELETE FROM host"),
        std::string("REINDEX"), std::string("ANALYZE"), std::string(";"), std::string("SELEC 1")})
    EXPECT_THAT(ask(sql), HasSubstr(tree_.root() + "/fleet.db: ")) << sql;
  EXPECT_EQ(tree_.read("/fleet.db"), before);
  EXPECT_FALSE(std::filesystem::exists(tree_.real("/other.db")));
  EXPECT_FALSE(std::filesystem::exists(tree_.real("/copy.db")));
  EXPECT_EQ(ask("SELECT 1 AS a -- comment\n;"), "[\n  {\"a\":1}\n]\n");
}

TEST_F(FleetStoreTest, RefusesWhatIsNewerOrNotItsOwn) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  damage("PRAGMA user_version = 99");
  const std::string before = tree_.read("/fleet.db");
  EXPECT_THAT(FleetStore::open(path()).error().message(), HasSubstr("was written by a newer auditshift"));
  EXPECT_THAT(ask("SELECT 1"), HasSubstr("was written by a newer auditshift"));
  EXPECT_EQ(tree_.read("/fleet.db"), before);
  std::filesystem::remove(path());
  damage("CREATE TABLE somebody (else_s)");
  EXPECT_THAT(FleetStore::open(path()).error().message(), HasSubstr("is a database of another program"));
  tree_.file("/fleet.db", std::string(4096, 'x'));
  EXPECT_THAT(FleetStore::open(path()).error().message(), HasSubstr("not an SQLite database"));
  std::filesystem::remove(path());
  EXPECT_THAT(ask("SELECT 1"), HasSubstr("No such file"));
  EXPECT_FALSE(std::filesystem::exists(path())) << "a query creates nothing";
}

TEST_F(FleetStoreTest, AHostIsThereAsAWholeOrNotAtAll) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  // The second finding of the next host cannot be written.
  damage(
      "CREATE TRIGGER fail BEFORE INSERT ON finding WHEN NEW.check_id = 'BAD001' "
      "BEGIN SELECT RAISE(ABORT, 'no'); END");
  auto next = report("b", "2026-09-01T00:00:00Z", "blocked", "h2");
  next.findings.push_back(next.findings[0]);
  next.findings.back().id = "BAD001";
  auto store = FleetStore::open(path());
  ASSERT_TRUE(store);
  EXPECT_FALSE(store->add(next));
  EXPECT_EQ(rows("SELECT hostname FROM host").dump(), R"([{"hostname":"a"}])");
  EXPECT_EQ(rows("SELECT count(*) AS n FROM assessment")[0]["n"], 1);
  next.findings.pop_back();
  const auto added = store->add(next);
  ASSERT_TRUE(added) << added.error().message();
  EXPECT_EQ(*added, Added::added) << "and the connection is still of use";
}

TEST_F(FleetStoreTest, PrintsTablesAndSafeCsv) {
  add(report("a", "2026-09-01T00:00:00Z", "blocked", "h1"));
  EXPECT_EQ(ask("SELECT hostname AS name, 12 AS n FROM host", QueryFormat::table),
            "name  n\n----  --\na     12\n");
  EXPECT_EQ(ask("SELECT '=1+1' AS a, -5 AS b, NULL AS c, 'x\"y' AS d", QueryFormat::csv),
            "\"a\",\"b\",\"c\",\"d\"\r\n\"'=1+1\",\"-5\",\"\",\"x\"\"y\"\r\n");
  EXPECT_EQ(ask("SELECT 1 AS a, 2 AS a"), "[\n  {\"a\":1,\"a:2\":2}\n]\n");
  EXPECT_EQ(ask("SELECT 1 WHERE 0"), "[]\n");
  EXPECT_THAT(ask("SELECT char(27) || '[31m' AS a", QueryFormat::table), HasSubstr("\\x1b[31m"));
}

}  // namespace
}  // namespace auditshift::migrate::fleet
