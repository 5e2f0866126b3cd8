// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/process.h"
#include "events.h"
#include "migrate/compare/comparison.h"

namespace auditshift::migrate::compare {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Comparison sample() {
  Comparison comparison;
  comparison.host = "db-03";
  comparison.started = base::WallTime(std::chrono::seconds(1'795'248'000));
  comparison.duration = std::chrono::milliseconds(20'050);
  comparison.audit_state = "immutable";
  comparison.sensor_tier = "core";
  comparison.settings_from = "kinds of the running sensor";
  comparison.rules = {live("-a always,exit -F arch=b64 -S rename -F key=mdatp"),
                      live("-w /etc/passwd -p wa -k users"), live("-a never,exit -S chmod -k quiet")};
  comparison.tallies.resize(3);
  RuleTally& tally = comparison.tallies[0];
  tally.both = 12'345;
  tally.audit_only[Reason::excluded] = 2;
  tally.audit_only[Reason::not_covered] = 1;
  tally.sensor_only[Reason::no_record] = 4;
  tally.examples.push_back({comparison.started, "audit", 77, "/bin/<script>alert(1)</script>\x1b[31m",
                            "rename", 0, "\"/a\xff\" \"/b\"", "excluded", "process /usr/bin/x"});
  comparison.losses.push_back({"sensor", "ring buffer full", 3});
  comparison.notes.emplace_back("a note");
  comparison.unruled.audit_only[Reason::unexplained] = 5;
  return comparison;
}

TEST(ComparisonReport, TextSaysWhatWasMissedAndWhy) {
  const std::string text = render_text(sample(), {});
  EXPECT_THAT(text, HasSubstr("Outcome: missed"));
  EXPECT_THAT(text, HasSubstr("12,345"));
  EXPECT_THAT(text, HasSubstr("2 by audit alone: an exclusion keeps it back (missed)"));
  EXPECT_THAT(text, HasSubstr("1 by audit alone: the sensor has no event for it\n"));
  EXPECT_THAT(text, HasSubstr("4 by the sensor alone"));
  EXPECT_THAT(text, HasSubstr("1 rule without an event"));
  EXPECT_THAT(text, HasSubstr("5 records that no rule made"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("quiet"))) << "rules that keep events out have none";
}

TEST(ComparisonReport, HtmlTakesNothingOfTheHostForMarkup) {
  const std::string page = render_html(sample());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">Rule</th>"));
}

TEST(ComparisonReport, JsonFollowsItsSchema) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("auditshift-compare-" + std::to_string(::getpid()) + ".json");
  std::ofstream(file) << base::dump_json(to_json(sample()), base::JsonStyle::pretty);
  base::SystemProcessRunner runner;
  const auto done =
      runner.run({.argv = {AUDITSHIFT_SOURCE_DIR "/tests/schema/validate.py",
                           AUDITSHIFT_SOURCE_DIR "/docs/schema/compare.schema.json", file.native()},
                  .input = {},
                  .timeout = std::chrono::seconds(60)});
  std::filesystem::remove(file);
  ASSERT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(done->exit_code, 0) << done->errors;
}

TEST(ComparisonReport, OutcomesAndExitCodes) {
  Comparison comparison = sample();
  EXPECT_EQ(exit_code_of(comparison), 2);
  comparison.tallies[0].audit_only.clear();
  EXPECT_EQ(comparison.outcome(), Outcome::incomplete);
  EXPECT_EQ(exit_code_of(comparison), 2);
  comparison.losses.clear();
  EXPECT_EQ(comparison.outcome(), Outcome::nothing_lost);
  EXPECT_EQ(exit_code_of(comparison), 0);
  comparison.tallies[0] = {};
  EXPECT_EQ(comparison.outcome(), Outcome::nothing_seen);
  EXPECT_EQ(exit_code_of(comparison), 0);
}

}  // namespace
}  // namespace auditshift::migrate::compare
