// SPDX-License-Identifier: Apache-2.0
#include "migrate/html.h"

#include <gmock/gmock.h>

#include "base/hash.h"
#include "base/text.h"
#include "fake_host.h"
#include "migrate/html_charts.h"
#include "migrate/render_html.h"
#include "rule_text.h"

namespace auditshift::migrate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string escaped(std::string_view text) {
  Html page;
  return page.text(text).take();
}

TEST(Html, EscapesWhatMeansSomething) {
  EXPECT_EQ(escaped("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
}

TEST(Html, MakesHiddenCharactersVisible) {
  EXPECT_EQ(escaped(std::string_view("a\0b\033[31m", 8)), "a\\x00b\\x1b[31m");
  EXPECT_EQ(escaped("\xe2\x80\xae"
                    "txt.exe"),
            "\\u{202e}txt.exe");
  EXPECT_EQ(escaped("\xff"), "\\xff");
  EXPECT_EQ(escaped("Käse"), "Käse");
}

TEST(Html, ThePolicyNamesTheStyleThatIsThere) {
  Html body;
  const std::string page = html_document("a </title> b", body);
  const std::size_t begin = page.find("<style>") + 7;
  const std::string style = page.substr(begin, page.find("</style>") - begin);
  EXPECT_GT(style.size(), 1000U);
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-" +
                              base::base64(base::sha256_bytes(style)) + "'"));
  EXPECT_THAT(page, HasSubstr("<title>a &lt;/title&gt; b</title>"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(HtmlReport, ShowsVerdictFindingsRulesAndExclusions) {
  FakeHost host;
  host.audit(1)
      .augenrules()
      .mdatp("101.24052.0002", "auditd")
      .rules("mdatp.rules", "-a exit,always -F arch=b64 -S rename -k mdatp\n")
      .rules("50-own.rules", "-w /etc/passwd -p wa -k <identity>\n-a never,exit -F pid=7\n");
  const std::string page = render_html(host.assess());
  EXPECT_THAT(page, HasSubstr("AUD005 "));
  EXPECT_THAT(page, HasSubstr("<tr class=\"o-defender\">"));
  EXPECT_THAT(page, HasSubstr("-k &lt;identity&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<identity>")));
  EXPECT_THAT(page, HasSubstr("What becomes of each audit exclusion"));
  EXPECT_LT(page.find("class=\"verdict"), page.find("id=\"findings\""));
}

/// Two days of a log.
Facts two_days() {
  Facts facts;
  facts.log_known = true;
  facts.log.days = 2;
  return facts;
}

InventoryRule with_volume(std::string_view key, int line, std::uint64_t events, Owner owner = Owner::user) {
  InventoryRule entry;
  entry.rule = rule("-w /etc/passwd -p wa -k " + std::string(key));
  entry.origin = {"/etc/audit/rules.d/50-own.rules", line};
  entry.owner = owner;
  entry.volume = auditd::Volume{events, 1};
  return entry;
}

TEST(Charts, EventsByRuleSayTheirNumbersAsTextToo) {
  const std::string chart =
      chart_of_events_by_rule({with_volume("<own>", 3, 10), with_volume("mdatp", 7, 4000),
                               with_volume("rare", 8, 1), with_volume("none", 9, 5000, Owner::exclusion)},
                              two_days())
          .take();
  EXPECT_THAT(chart,
              HasSubstr("aria-label=\"Events per day in the audit log, by rule: mdatp, 50-own.rules:7 2,000, "
                        "&lt;own&gt;, 50-own.rules:3 5\""));
  EXPECT_THAT(chart, HasSubstr("width=\"380\""));  // the longest bar
  EXPECT_THAT(chart, Not(HasSubstr("<own>")));
  EXPECT_THAT(chart, HasSubstr(" 1 rule caused less than one event a day."));
}

TEST(Charts, EventsByRuleShowTheBusiestOfMany) {
  std::vector<InventoryRule> rules;
  for (int i = 0; i < 20; ++i)
    rules.push_back(with_volume("k" + std::to_string(i), i, 100 + static_cast<unsigned>(i)));
  const std::string chart = chart_of_events_by_rule(rules, two_days()).take();
  EXPECT_THAT(chart, HasSubstr("k19, "));
  EXPECT_THAT(chart, Not(HasSubstr("k7, ")));
  EXPECT_THAT(chart, HasSubstr("8 less busy rules not shown"));
}

TEST(Charts, SayThatThereIsNoLog) {
  EXPECT_THAT(chart_of_events_by_rule({with_volume("a", 1, 9)}, {}).take(), HasSubstr("no audit log"));
  EXPECT_THAT(chart_of_exclusion_cost({{}}, {}).take(), HasSubstr("no audit log"));
  EXPECT_THAT(chart_of_events_by_rule({with_volume("a", 1, 1)}, two_days()).take(),
              HasSubstr("even one event"));
}

TEST(Charts, CostByExclusionSaysWhatIsNotCounted) {
  std::vector<ExclusionIntent> intents(2);
  intents[0].id = "process:/usr/bin/<a>";
  intents[0].blinded = {{EventClass{}, 40}, {EventClass{}, 2}};
  intents[1].id = "path:/srv";
  intents[1].blinded = {{EventClass{}, std::nullopt}};
  const std::string chart = chart_of_exclusion_cost(intents, two_days()).take();
  EXPECT_THAT(chart, HasSubstr("process:/usr/bin/&lt;a&gt; 42\""));
  EXPECT_THAT(chart, HasSubstr("For 1 exclusion the log cannot tell"));
  intents.erase(intents.begin());
  EXPECT_THAT(chart_of_exclusion_cost(intents, two_days()).take(), HasSubstr("For 1 exclusion"));
}

}  // namespace
}  // namespace auditshift::migrate
