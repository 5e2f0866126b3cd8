// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/fleet.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include "migrate/fleet/render.h"
#include "sample_fleet.h"

namespace auditshift::migrate::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

base::Json with_exclusion(base::Json json, const std::string& kind, const std::string& value,
                          const base::Json& more = base::Json::object()) {
  base::Json exclusion = {{"id", kind + ":" + value},
                          {"intent", "keep out " + value},
                          {"result", "exact"},
                          {"entry", {{"kind", kind}, {"value", value}, {"scopes", {"global"}}}},
                          {"dangers", base::Json::array()},
                          {"already_managed", false},
                          {"consent_needed", false},
                          {"carried_over", true}};
  exclusion.update(more);
  json["exclusions"].push_back(exclusion);
  return json;
}

TEST(Fleet, ReadsAnyLayoutAndListsWhatItCannotUse) {
  const tests::TemporaryTree tree;
  tree.file("/a.json", text_of(small_assessment("a", "2026-09-30T00:00:00Z", "ready")));
  tree.file("/2026-09-29/a.json", text_of(small_assessment("a", "2026-09-29T00:00:00Z", "blocked")));
  tree.file("/deep/er/b.json", text_of(small_assessment("b", "2026-09-30T00:00:00Z", "blocked")));
  tree.file("/plan.json", sample("sles-12.plan"));
  tree.file("/notes.txt", "not looked at");
  tree.file("/cut.json", text_of(small_assessment("c", "2026-09-30T00:00:00Z", "ready")).substr(0, 60));
  tree.file("/empty.json", "");
  tree.link("/latest.json", "a.json");
  tree.link("/outside.json", "/etc/passwd");
  tree.link("/loop", ".");
  ASSERT_EQ(::mkfifo(tree.real("/pipe.json").c_str(), 0600), 0);
  const Fleet fleet = fleet_of(tree);
  ASSERT_EQ(fleet.hosts.size(), 2U);
  EXPECT_EQ(fleet.hosts[0].latest.verdict, Verdict::ready);
  EXPECT_EQ(fleet.reading.files, 9U);
  EXPECT_EQ(fleet.reading.assessments, 4U);
  EXPECT_EQ(fleet.reading.other_documents, 1U);
  std::vector<std::string> damaged;
  for (const SkippedFile& file : fleet.reading.damaged) {
    damaged.push_back(file.file);
    EXPECT_THAT(file.reason, ::testing::Not(HasSubstr(file.file))) << "the name stands beside it";
  }
  EXPECT_THAT(damaged, ElementsAre("cut.json", "empty.json", "outside.json", "pipe.json"));
  EXPECT_FALSE(fleet.is_well());
}

TEST(Fleet, IsTheSameHoweverManyThreadsReadIt) {
  const tests::TemporaryTree tree;
  for (int i = 0; i < 60; ++i) {
    const std::string day = "2026-09-" + std::string(i % 20 < 9 ? "0" : "") + std::to_string(i % 20 + 1);
    tree.file("/" + std::to_string(i) + ".json",
              text_of(small_assessment("h" + std::to_string(i % 7), day + "T00:00:00Z",
                                       i % 3 == 0 ? "blocked" : "already-switched")));
  }
  const std::string one = render_json(fleet_of(tree, {}, 1), base::JsonStyle::pretty);
  for (int round = 0; round < 5; ++round)
    EXPECT_EQ(render_json(fleet_of(tree, {}, 4), base::JsonStyle::pretty), one);
}

TEST(Fleet, AnErrorOfTheTakerEndsTheReading) {
  const tests::TemporaryTree tree;
  for (int i = 0; i < 20; ++i)
    tree.file("/" + std::to_string(i) + ".json",
              text_of(small_assessment("a", "2026-09-30T00:00:00Z", "ready")));
  int calls = 0;
  base::NoProgress progress;
  const auto reading = read_directory(
      tree.open(), {},
      [&](const HostReport&) -> base::Result<void> {
        ++calls;
        return base::Error(base::Errc::no_space, "full");
      },
      progress);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().message(), "full");
  EXPECT_EQ(calls, 1);
}

TEST(Fleet, ClonesAndRenamedHostsAreHostsOfTheirOwn) {
  const tests::TemporaryTree tree;
  auto one = small_assessment("one", "2026-09-30T00:00:00Z", "ready");
  auto two = small_assessment("two", "2026-09-30T00:00:00Z", "ready");
  two["host"]["machine_id"] = one["host"]["machine_id"];
  auto localhost = small_assessment("one", "2026-09-30T00:00:00Z", "ready");
  localhost["host"]["machine_id"] = "other";
  tree.file("/1.json", text_of(one));
  tree.file("/2.json", text_of(two));
  tree.file("/3.json", text_of(localhost));
  tree.file("/copy/1.json", text_of(one));
  EXPECT_EQ(fleet_of(tree).hosts.size(), 3U);
}

TEST(Fleet, BurnsDownOverTheDays) {
  const tests::TemporaryTree tree;
  tree.file("/1/a.json", text_of(small_assessment("a", "2026-09-01T06:00:00Z", "blocked")));
  tree.file("/1/a2.json", text_of(small_assessment("a", "2026-09-01T18:00:00Z", "ready")));
  tree.file("/2/b.json", text_of(small_assessment("b", "2026-09-02T06:00:00Z", "blocked")));
  tree.file("/3/a.json", text_of(small_assessment("a", "2026-09-03T06:00:00Z", "already-switched")));
  const Fleet fleet = fleet_of(tree);
  ASSERT_EQ(fleet.burn_down.size(), 3U);
  EXPECT_EQ(base::format_date(fleet.burn_down[0].day), "2026-09-01");
  EXPECT_THAT(fleet.burn_down[0].verdicts, ElementsAre(0, 0, 0, 1, 0, 0)) << "the last of the day counts";
  EXPECT_EQ(fleet.burn_down[0].not_reported, 1U);
  EXPECT_THAT(fleet.burn_down[1].verdicts, ElementsAre(1, 0, 0, 1, 0, 0));
  EXPECT_THAT(fleet.burn_down[2].verdicts, ElementsAre(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(fleet.burn_down[2].not_reported, 0U);
}

TEST(Fleet, FindsStaleFutureMissingAndUnexpectedHosts) {
  const tests::TemporaryTree tree;
  tree.file("/now.json", text_of(small_assessment("web-1.example.net", "2026-09-30T00:00:00Z", "ready")));
  tree.file("/old.json", text_of(small_assessment("old", "2026-08-01T00:00:00Z", "ready")));
  tree.file("/odd.json", text_of(small_assessment("odd", "2199-01-01T00:00:00Z", "ready")));
  tree.file("/inventory-name.json", text_of(small_assessment("other", "2026-09-30T00:00:00Z", "ready")));
  FleetOptions options;
  options.expected =
      ExpectedHosts::parse("# all\nWEB-1 # short\nold.example.net\r\ninventory-name\ngone\ngone\n\n");
  EXPECT_EQ(options.expected->size(), 4U);
  const Fleet fleet = fleet_of(tree, options);
  EXPECT_EQ(fleet.stale, 2U);
  EXPECT_THAT(fleet.missing, ElementsAre("gone"));
  ASSERT_EQ(fleet.unexpected.size(), 1U);
  EXPECT_EQ(fleet.hosts[fleet.unexpected[0]].latest.hostname, "odd");
  EXPECT_EQ(fleet.hosts[0].age, FleetHost::Age::future);
  EXPECT_EQ(fleet.hosts[1].age, FleetHost::Age::stale);
  EXPECT_EQ(fleet.hosts[1].days_old, 61);
}

TEST(Fleet, MakesOnePolicyOfWhatIsCommonAndHarmless) {
  const tests::TemporaryTree tree;
  const base::Json waits = {{"consent_needed", true}, {"carried_over", false}};
  const base::Json dangerous = {{"dangers", {"a shell"}}};
  const base::Json managed = {{"already_managed", true}, {"carried_over", false}};
  for (int i = 0; i < 10; ++i) {
    auto host = small_assessment("h" + std::to_string(i), "2026-09-30T00:00:00Z", "ready");
    if (i < 3) host = with_exclusion(host, "folder", "/srv/data", i == 0 ? managed : base::Json::object());
    if (i < 5)
      host = with_exclusion(host, "process", "/usr/sbin/named", i == 4 ? waits : base::Json::object());
    if (i < 5) host = with_exclusion(host, "process", "/bin/sh", i == 0 ? dangerous : base::Json::object());
    if (i < 4) host = with_exclusion(host, "file", "/srv/managed", managed);
    if (i < 1) host = with_exclusion(host, "file", "/srv/rare");
    if (i < 4) host = with_exclusion(host, "file", "/srv/\xef\xbf\xbd");
    tree.file("/" + std::to_string(i) + ".json", text_of(host));
  }
  const Fleet fleet = fleet_of(tree);
  std::map<std::string, std::string> why_not;
  for (const CommonExclusion& exclusion : fleet.exclusions) why_not[exclusion.id] = exclusion.why_not;
  const std::map<std::string, std::string> expected = {
      {"folder:/srv/data", ""},
      {"process:/usr/sbin/named", "1 host waits for a decision on it"},
      {"process:/bin/sh", "dangerous: a shell"},
      {"file:/srv/managed", "every host that has it manages it already"},
      {"file:/srv/rare", "on 1 host only, 2 make a policy"},
      {"file:/srv/\xef\xbf\xbd", "the path is not known to the byte"}};
  EXPECT_EQ(why_not, expected);
  const base::Json entry = {
      {"$type", "excludedPath"}, {"isDirectory", true}, {"path", "/srv/data"}, {"scopes", {"global"}}};
  EXPECT_EQ(base::Json::parse(fleet.policy)["exclusionSettings"]["exclusions"], base::Json::array({entry}));
}

TEST(Fleet, CountsFindingsByHostAndNotByFinding) {
  const tests::TemporaryTree tree;
  auto host = small_assessment("a", "2026-09-30T00:00:00Z", "blocked");
  const base::Json finding = {{"id", "AUD101"},   {"title", "Rules"},  {"severity", "low"},
                              {"blocks", "none"}, {"accepted", false}, {"diagnosis", "d"}};
  base::Json blocking = finding;
  blocking["blocks"] = "mandatory";
  host["findings"] = {finding, blocking, finding};
  tree.file("/a.json", text_of(host));
  auto other = small_assessment("b", "2026-09-30T00:00:00Z", "ready");
  other["findings"] = base::Json::array({finding});  // braces alone: a copy, with clang
  tree.file("/b.json", text_of(other));
  const Fleet fleet = fleet_of(tree);
  ASSERT_EQ(fleet.findings.size(), 1U);
  EXPECT_EQ(fleet.findings[0].hosts, 2U);
  EXPECT_EQ(fleet.findings[0].blocking, 1U);
  EXPECT_THAT(fleet.findings[0].places, ElementsAre(0, 1));
}

}  // namespace
}  // namespace auditshift::migrate::fleet
