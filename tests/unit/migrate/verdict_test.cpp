// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "fake_host.h"
#include "migrate/assessment_json.h"
#include "migrate/render_text.h"

namespace auditshift::migrate {
namespace {

TEST(Verdict, SwitchedNeedsEbpfAndNoDefenderRule) {
  FakeHost host;
  host.audit(1).mdatp("101.26062.0003", "ebpf");
  EXPECT_EQ(to_string(host.assess().verdict), "already-switched");
  host.rules("mdatp.rules", "-a exit,always -F arch=b64 -S rename -k mdatp\n").augenrules();
  const Assessment left = host.assess();
  EXPECT_EQ(to_string(left.verdict), "ready");
  EXPECT_EQ(find(left, "AUD005")->severity, FindingSeverity::medium);
}

TEST(Verdict, SkippedChecksAreListedAsSkipped) {
  FakeHost host;
  const Assessment assessment = host.assess({.skip = {"AUD002"}, .accept = {}});
  EXPECT_EQ(outcome(assessment, "AUD002"), "skipped");
  EXPECT_FALSE(find(assessment, "AUD002"));
}

TEST(Verdict, UnknownIdsAreTold) {
  FakeHost host;
  const Assessment assessment = host.assess();
  EXPECT_EQ(unknown_ids(assessment, {.skip = {"AUD002", "AUD999"}, .accept = {"process:/x"}}),
            (std::vector<std::string>{"AUD999", "process:/x"}));
}

TEST(Checks, HaveUniqueIdsAndWholeSentences) {
  std::set<std::string_view> ids;
  for (const Check* check : all_checks()) {
    EXPECT_TRUE(ids.insert(check->id).second) << check->id;
    EXPECT_TRUE(check->description.ends_with('.') || check->description.ends_with(").")) << check->id;
    EXPECT_FALSE(check->title.ends_with('.')) << check->id;
  }
  EXPECT_GE(ids.size(), 40U);
}

TEST(Checks, StandInTheDocumentation) {
  std::ostringstream page;
  page << std::ifstream(AUDITSHIFT_SOURCE_DIR "/docs/assessment.md").rdbuf();
  for (const Check* check : all_checks()) {
    const std::string row = "| `" + std::string(check->id) + "` | " + std::string(check->title) + " | " +
                            std::string(check->description) + " |";
    EXPECT_NE(page.str().find(row), std::string::npos) << "docs/assessment.md lacks the row\n" << row;
  }
}

TEST(Assessment, SameFactsGiveTheSameBytes) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24052.0002", "auditd")
      .rules("1.rules", "-w /etc/passwd -p wa -k id\n-a never,exit -F exe=/opt/a\n");
  const Facts facts = host.facts();
  const Assessment first = assess(facts, {});
  const Assessment second = assess(facts, {});
  EXPECT_EQ(to_json(first).dump(), to_json(second).dump());
  EXPECT_EQ(render_text(first, {}), render_text(second, {}));
}

TEST(Rendering, NeverPrintsTerminalEscapesRaw) {
  FakeHost host;
  host.audit(1)
      .augenrules()
      .rules("1.rules",
             "-w /etc/hosts -p wa -k \x1b]0;owned\x07\x1b[31mred\n-a bad\x1b[2J\n-a never,exit -F "
             "exe=/opt/\x1b[1mx\n")
      .rules("2\x1b[5m.rules", "-w /etc/motd -p wa -k \xe2\x80\xaexd\n")
      .write("/etc/hostname", "ev\x1b[31mil\n")
      .mdatp("101.24052.0002\x1b[0m", "aud\x1b[31mitd");
  const Assessment assessment = host.assess();
  for (const std::string& text : {render_text(assessment, {.color = false, .verbose = true, .width = 100}),
                                  render_rules(assessment.rules, {})}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  }
  EXPECT_NE(render_rules(assessment.rules, {}).find("\\x1b]0;owned\\x07"), std::string::npos);
}

TEST(Json, KeepsBytesThatAreNoUtf8) {
  FakeHost host;
  host.audit(1).rules("1.rules", "-w /etc/motd -p wa -k r\xe9sum\xe9\n");
  const base::Json rule = to_json(host.assess())["rules"][0];
  EXPECT_EQ(rule["text"], "-w /etc/motd -p wa -k r\xef\xbf\xbdsum\xef\xbf\xbd");
  EXPECT_EQ(rule["text_base64"], "LXcgL2V0Yy9tb3RkIC1wIHdhIC1rIHLpc3Vt6Q==");
}

}  // namespace
}  // namespace auditshift::migrate
