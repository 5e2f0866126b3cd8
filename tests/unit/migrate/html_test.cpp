// SPDX-License-Identifier: Apache-2.0
#include "migrate/html.h"

#include <gmock/gmock.h>

#include "base/hash.h"
#include "base/text.h"
#include "fake_host.h"
#include "migrate/html_charts.h"
#include "migrate/render_html.h"

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

auditd::LogStatistics two_keys() {
  using namespace std::chrono_literals;
  auditd::LogStatistics log;
  log.days = 2;
  log.by_key["mdatp"][std::chrono::sys_days(2026y / 1 / 1)] = {3000, 1};
  log.by_key["mdatp"][std::chrono::sys_days(2026y / 1 / 2)] = {1000, 1};
  log.by_key["<own>"][std::chrono::sys_days(2026y / 1 / 1)] = {10, 1};
  return log;
}

TEST(Charts, SayTheirNumbersAsTextToo) {
  const std::string chart = chart_of_events_per_day(two_keys()).take();
  EXPECT_THAT(chart,
              HasSubstr("aria-label=\"Events per day in the audit log, by the key of the rule: mdatp 2,000, "
                        "&lt;own&gt; 5\""));
  EXPECT_THAT(chart, HasSubstr("width=\"420\""));  // the longest bar
  EXPECT_THAT(chart, Not(HasSubstr("<own>")));
}

TEST(Charts, AreLeftOutWithoutNumbers) {
  EXPECT_EQ(chart_of_events_per_day({}).take(), "");
  EXPECT_EQ(chart_of_blinded_events({}).take(), "");
}

}  // namespace
}  // namespace auditshift::migrate
