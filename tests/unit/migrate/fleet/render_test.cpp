// SPDX-License-Identifier: Apache-2.0
// One fleet in every format, against golden files; `./dev golden` writes them anew.
#include "migrate/fleet/render.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/process.h"
#include "sample_fleet.h"

namespace auditshift::migrate::fleet {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSamples[] = {
    "oracle-8.8-bad-uek",      "rhel-7.4-netlink", "rhel-8-immutable-cis",   "rhel-8.1-sap", "sles-12",
    "switched-with-leftovers", "without-audit",    "ubuntu-20.04-auditd-era"};

/// A host whose every text tries to be more than that.
base::Json hostile() {
  auto json = small_assessment("=cmd|' /C calc'!A0", "2026-09-30T00:00:00Z", "blocked");
  json["host"]["kernel"] = "</span><script>alert(1)</script>";
  json["host"]["distribution"] = "@SUM(1+1)";
  json["next_step"] = "\"><img src=x onerror=alert(2)>\x1b[31m";
  json["findings"] = {{{"id", "AUD101"},
                       {"title", "<b>t</b>"},
                       {"severity", "high"},
                       {"blocks", "mandatory"},
                       {"accepted", false},
                       {"diagnosis", "\xe2\x80\xaexcod.exe & 'more'"}}};
  return json;
}

/// The sample hosts as if all were assessed in September 2026, one of them twice; a damaged file; a list of
/// hosts of which one is missing.
Fleet sample_fleet() {
  const tests::TemporaryTree tree;
  for (const std::string name : kSamples) {
    auto json = base::Json::parse(sample(name));
    json["generated_at"] = "2026-09-15T06:00:00Z";
    if (name == "sles-12") json["generated_at"] = "2026-07-01T06:00:00Z";
    tree.file("/2026-09-15/" + name + ".json", text_of(json));
  }
  auto later = base::Json::parse(sample("without-audit"));
  later["generated_at"] = "2026-09-29T06:00:00Z";
  later["verdict"] = "already-switched";
  tree.file("/2026-09-29/without-audit.json", text_of(later));
  tree.file("/2026-09-29/hostile.json", text_of(hostile()));
  tree.file("/2026-09-29/<i>cut.json", "{\"verdict\": \"rea");
  tree.file("/2026-09-29/plan.json", sample("sles-12.plan"));
  FleetOptions options;
  options.expected = ExpectedHosts::parse("web-17\ndb-03\n<u>gone</u>\n");
  return fleet_of(tree, options);
}

void compare(const char* name, const std::string& actual) {
  const fs::path golden = fs::path(AUDITSHIFT_FIXTURES "/golden/fleet") / name;
  if (std::getenv("AUDITSHIFT_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << actual;
  }
  std::ifstream in(golden, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(expected, actual) << "golden file " << golden << "; ./dev golden writes it anew";
}

TEST(FleetReport, Text) { compare("fleet.txt", render_text(sample_fleet(), {})); }
TEST(FleetReport, Csv) { compare("fleet.csv", render_csv(sample_fleet())); }
TEST(FleetReport, Json) { compare("fleet.json", render_json(sample_fleet(), base::JsonStyle::pretty)); }
TEST(FleetReport, Html) { compare("fleet.html", render_html(sample_fleet())); }

TEST(FleetReport, JsonFollowsTheSchemaInBothStyles) {
  const tests::TemporaryTree out;
  out.file("/pretty.json", render_json(sample_fleet(), base::JsonStyle::pretty));
  out.file("/short.json", render_json(sample_fleet(), base::JsonStyle::compact));
  FleetBuilder nobody;
  out.file("/empty.json", render_json(std::move(nobody).finish({}, {}), base::JsonStyle::pretty));
  base::SystemProcessRunner runner;
  const auto done =
      runner.run({.argv = {AUDITSHIFT_SOURCE_DIR "/tests/schema/validate.py",
                           AUDITSHIFT_SOURCE_DIR "/docs/schema/fleet-report.schema.json",
                           out.real("/pretty.json"), out.real("/short.json"), out.real("/empty.json")},
                  .input = {},
                  .timeout = std::chrono::seconds(60)});
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->exit_code, 0) << done->errors;
  EXPECT_EQ(base::Json::parse(out.read("/pretty.json")), base::Json::parse(out.read("/short.json")));
}

TEST(FleetReport, HostileNamesStayNames) {
  const Fleet fleet = sample_fleet();
  const std::string html = render_html(fleet);
  for (const char* markup : {"<script", "<img", "<b>t", "<i>cut", "<u>gone"})
    EXPECT_THAT(html, Not(HasSubstr(markup)));
  EXPECT_THAT(html, HasSubstr("\\u{202e}xcod.exe"));
  const std::string csv = render_csv(fleet);
  EXPECT_THAT(csv, HasSubstr("\"'=cmd|' /C calc'!A0\""));
  EXPECT_THAT(csv, HasSubstr("\"'@SUM(1+1)\""));
  EXPECT_THAT(csv, HasSubstr("\"\"\"><img src=x onerror=alert(2)>\\x1b[31m\""));
  EXPECT_THAT(render_text(fleet, {}), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace auditshift::migrate::fleet
