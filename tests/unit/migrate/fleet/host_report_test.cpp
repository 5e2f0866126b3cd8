// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/host_report.h"

#include <gmock/gmock.h>

#include "migrate/fleet/pick_json.h"
#include "sample_fleet.h"

namespace auditshift::migrate::fleet {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  const auto report = parse_host_report(text, "x.json");
  return report ? "no error" : report.error().message();
}

std::string error_with(const std::string& pointer, const base::Json& value) {
  base::Json json = small_assessment("a", "2026-09-01T00:00:00Z", "ready");
  json[base::Json::json_pointer(pointer)] = value;
  return error_of(text_of(json));
}

TEST(PickJson, KeepsWhatIsWantedAndChecksTheRest) {
  const std::vector<WantedSection> wanted = {{"a", {}}, {"b", {"x"}}, {"c", {"x"}}};
  const auto picked = pick_json(
      R"({"a":{"y":[1,{"z":2}]},"n":{"a":1,"x":[[]]},"b":{"x":{"y":1},"y":2},"c":[{"x":1,"y":{"x":3}},{"y":4},5],"m":null})",
      "d", wanted);
  ASSERT_TRUE(picked) << picked.error().message();
  EXPECT_EQ(picked->dump(), R"({"a":{"y":[1,{"z":2}]},"b":{"x":{"y":1}},"c":[{"x":1},{},5]})");
  EXPECT_THAT(pick_json("{\"n\": tru}", "d", wanted).error().message(), HasSubstr("d:1:10: not valid JSON"));
  EXPECT_THAT(pick_json("{\"n\": \"\xff\"}", "d", wanted).error().message(), HasSubstr("not valid JSON"));
  EXPECT_EQ(pick_json("[1]", "d", wanted).error().message(), "d: not an object");
  EXPECT_EQ(pick_json("7", "d", wanted).error().message(), "d: not an object");
  EXPECT_THAT(pick_json("", "d", wanted).error().message(), HasSubstr("not valid JSON"));
  EXPECT_THAT(pick_json("{} {}", "d", wanted).error().message(), HasSubstr("not valid JSON"));
  EXPECT_THAT(pick_json("{\"a\":1e999}", "d", wanted).error().message(), HasSubstr("1e999"));
  const std::string deep = "{\"n\":" + std::string(100000, '[');
  EXPECT_EQ(pick_json(deep, "d", wanted).error().message(), "d: nested more than 32 levels deep");
}

TEST(PickJson, KeepsTheLastOfTwo) {
  const auto picked = pick_json(R"({"a":{"x":[1,2]},"a":3})", "d", {{"a", {}}});
  ASSERT_TRUE(picked);
  EXPECT_EQ(picked->dump(), R"({"a":3})");
}

TEST(HostReport, TakesWhatAFleetReportNeeds) {
  const auto read = parse_host_report(sample("ubuntu-20.04-auditd-era"), "2026/web-17.json");
  ASSERT_TRUE(read) << read.error().message();
  const HostReport& report = **read;
  const auto document = base::Json::parse(sample("ubuntu-20.04-auditd-era"));
  EXPECT_EQ(report.file, "2026/web-17.json");
  EXPECT_EQ(report.hostname, "web-17");
  EXPECT_EQ(report.machine_id, document["host"]["machine_id"]);
  EXPECT_EQ(base::format_utc(report.generated_at), document["generated_at"]);
  EXPECT_EQ(report.verdict, Verdict::needs_consent);
  EXPECT_EQ(report.audit_state, document["audit"]["state"]);
  EXPECT_EQ(report.agent_build, document["agent"]["version"]);
  EXPECT_EQ(report.findings.size(), document["findings"].size());
  EXPECT_EQ(report.exclusions.size(), document["exclusions"].size());
  EXPECT_EQ(report.rules[0] + report.rules[1] + report.rules[2] + report.rules[3] + report.rules[4],
            document["rules"].size());
  EXPECT_TRUE(report.needs_attention());
  EXPECT_GT(report.exclusions_waiting(), 0U);
}

TEST(HostReport, TellsOtherDocumentsFromDamagedOnes) {
  const auto plan = parse_host_report(sample("sles-12.plan"), "p.json");
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->has_value());
  // What playbook/report leaves behind (ansible/roles/report), and auditshift compare --json.
  for (const char* other :
       {R"({"schema_version": "1.0", "host": "web-17", "at": "2026-09-01T00:00:00Z", "complete": true})",
        R"({"schema_version": "1.0", "host": "web-17", "audit_state": "mutable", "rules": [{"both": 1}]})"}) {
    const auto read = parse_host_report(other, "o.json");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_FALSE(read->has_value()) << other;
  }
  base::Json torn = small_assessment("a", "2026-09-01T00:00:00Z", "ready");
  torn.erase("verdict");
  EXPECT_EQ(error_of(text_of(torn)), "x.json: verdict is missing");
  EXPECT_EQ(error_with("/verdict", "great"), "x.json: verdict has the unknown value 'great'");
  EXPECT_EQ(error_with("/generated_at", "yesterday"), "x.json: generated_at is no time");
  EXPECT_EQ(error_with("/generated_at", base::Json()), "x.json: generated_at is missing");
  EXPECT_EQ(error_with("/host", 3), "x.json: host is no object");
  EXPECT_EQ(error_with("/host/hostname", 3), "x.json: host.hostname is no text");
  EXPECT_EQ(error_with("/schema_version", "2.0"), "x.json: schema_version 2.0 is unknown to this program");
  EXPECT_EQ(error_with("/findings", "x"), "x.json: findings is no list");
  EXPECT_EQ(error_with("/findings", base::Json::array({base::Json::object()})),
            "x.json: findings[0].id is missing");
  EXPECT_EQ(error_with("/findings", {{"x"}}), "x.json: findings[0] is no object");
  EXPECT_EQ(error_with("/rules", {{{"owner", "nobody"}}}),
            "x.json: rules[0].owner has the unknown value 'nobody'");
  EXPECT_EQ(error_with("/exclusions",
                       base::Json::array({{{"id", "a"}, {"result", "exact"}, {"consent_needed", 1}}})),
            "x.json: exclusions[0].consent_needed is neither true nor false");
  EXPECT_EQ(error_with("/host", base::Json::object()),
            "x.json: host has neither a hostname nor a machine_id");
  EXPECT_EQ(error_with("/findings", base::Json(std::vector<int>(501))),
            "x.json: findings has more than 500 entries");
}

TEST(HostReport, CutsLongTextsBetweenCharacters) {
  std::string name;
  while (name.size() < 5000) name += "ä";
  const auto read =
      parse_host_report(text_of(small_assessment("x" + name, "2026-09-01T00:00:00Z", "ready")), "x.json");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_LE((*read)->hostname.size(), 4100U);
  EXPECT_TRUE((*read)->hostname.ends_with("ä…"));
}

}  // namespace
}  // namespace auditshift::migrate::fleet
