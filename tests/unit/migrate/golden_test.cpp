// SPDX-License-Identifier: Apache-2.0
// The sample hosts of tests/fixtures/hosts, assessed: whole reports against golden files, and every document
// against the published schema. `./dev golden` writes the golden files anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/process.h"
#include "base/progress.h"
#include "fake_host.h"
#include "migrate/assessment_json.h"
#include "migrate/collect.h"
#include "migrate/render_html.h"
#include "migrate/render_openmetrics.h"
#include "migrate/render_text.h"

namespace auditshift::migrate {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> sample_hosts() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(AUDITSHIFT_FIXTURES "/hosts"))
    names.push_back(entry.path().filename().native());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void compare(const fs::path& golden, const std::string& actual) {
  if (std::getenv("AUDITSHIFT_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(golden.parent_path());
    std::ofstream(golden, std::ios::binary) << actual;
  }
  EXPECT_EQ(read(golden), actual) << "golden file " << golden << "; ./dev golden writes it anew";
}

class SampleHost : public ::testing::TestWithParam<std::string> {
 protected:
  Assessment assessment() const {
    const auto world = captured_world(std::string(AUDITSHIFT_FIXTURES "/hosts/") + GetParam());
    if (!world) throw std::runtime_error(world.error().message());
    base::NoProgress progress;
    return assess(collect_facts(*world, {}, progress), {});
  }
  fs::path golden(const char* ending) const {
    return fs::path(AUDITSHIFT_FIXTURES "/golden") / (GetParam() + ending);
  }
};

TEST_P(SampleHost, TextReport) { compare(golden(".txt"), render_text(assessment(), {})); }

TEST_P(SampleHost, JsonReport) {
  compare(golden(".json"), base::dump_json(to_json(assessment()), base::JsonStyle::pretty));
}

TEST_P(SampleHost, Metrics) { compare(golden(".prom"), render_openmetrics(assessment())); }

TEST_P(SampleHost, RuleList) { compare(golden(".rules.txt"), render_rules(assessment().rules, {})); }

TEST_P(SampleHost, JsonFollowsTheSchema) {
  const fs::path file = fs::temp_directory_path() /
                        ("auditshift-schema-" + std::to_string(::getpid()) + "-" + GetParam() + ".json");
  std::ofstream(file) << base::dump_json(to_json(assessment()), base::JsonStyle::pretty);
  base::SystemProcessRunner runner;
  const auto done =
      runner.run({.argv = {AUDITSHIFT_SOURCE_DIR "/tests/schema/validate.py",
                           AUDITSHIFT_SOURCE_DIR "/docs/schema/assessment.schema.json", file.native()},
                  .input = {},
                  .timeout = std::chrono::seconds(60)});
  fs::remove(file);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->exit_code, 0) << done->errors;
}

INSTANTIATE_TEST_SUITE_P(All, SampleHost, ::testing::ValuesIn(sample_hosts()), [](const auto& host) {
  std::string name = host.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

// One whole page; what all of them look like in a browser: tests/browser.
TEST(SampleHosts, HtmlReport) {
  const auto world = captured_world(AUDITSHIFT_FIXTURES "/hosts/without-audit");
  ASSERT_TRUE(world);
  base::NoProgress progress;
  compare(AUDITSHIFT_FIXTURES "/golden/without-audit.html",
          render_html(assess(collect_facts(*world, {}, progress), {})));
}

TEST(SampleHosts, HaveTheVerdictsTheyStandFor) {
  const std::map<std::string, std::string> expected = {{"damaged-files", "blocked"},
                                                       {"oracle-8.8-bad-uek", "blocked"},
                                                       {"rhel-7.4-netlink", "netlink-only"},
                                                       {"rhel-8-immutable-cis", "ready-after-reboot"},
                                                       {"rhel-8.1-sap", "blocked"},
                                                       {"sles-12", "netlink-only"},
                                                       {"switched-with-leftovers", "already-switched"},
                                                       {"ubuntu-20.04-auditd-era", "needs-consent"},
                                                       {"without-audit", "ready"}};
  std::map<std::string, std::string> actual;
  base::NoProgress progress;
  for (const std::string& name : sample_hosts()) {
    const auto world = captured_world(std::string(AUDITSHIFT_FIXTURES "/hosts/") + name);
    ASSERT_TRUE(world);
    actual[name] = to_string(assess(collect_facts(*world, {}, progress), {}).verdict);
  }
  EXPECT_EQ(actual, expected);
}

}  // namespace
}  // namespace auditshift::migrate
