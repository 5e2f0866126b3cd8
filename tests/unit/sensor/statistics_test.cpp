// SPDX-License-Identifier: Apache-2.0
#include "sensor/statistics.h"

#include <gtest/gtest.h>

#include "sensor/health.h"

namespace auditshift::sensor {
namespace {

Event file_event(std::string_view path, std::string_view program, int syscall) {
  Event event;
  event.kind = EventKind::rename;
  event.path.text = path;
  event.process.executable.text = program;
  event.syscall.number = syscall;
  return event;
}

void observe(StatisticsWindow& window, const Event& event, int times) {
  for (int i = 0; i < times; ++i) window.observe(event);
}

TEST(Statistics, HaveTheLayoutOfDefender) {
  StatisticsWindow window;
  observe(window, file_event("/tmp/b", "/usr/bin/stress-ng", 82), 3);
  observe(window, file_event("/tmp/a", "/usr/bin/stress-ng", 82), 3);
  window.observe(file_event("/tmp/c\x1b[2J", "/usr/bin/sh", 316));
  Event running;
  running.kind = EventKind::running;
  running.process.executable.text = "/sbin/init";
  window.observe(running);
  const Statistics statistics = make_statistics(window.counts(), 20);
  EXPECT_EQ(render_statistics_text(statistics, 10),
            "Monitor 20 seconds\n"
            "Top file paths:\n"
            "/tmp/a : 3\n"
            "/tmp/b : 3\n"
            "/tmp/c\\x1b[2J : 1\n"
            "Top initiator paths:\n"
            "/usr/bin/stress-ng : 6\n"
            "/usr/bin/sh : 1\n"
            "Top syscall ids:\n"
            "82 : 6\n"
            "316 : 1\n");
  EXPECT_EQ(render_statistics_json(statistics, 1).dump(),
            R"({"seconds":20,"events":7,"not_counted":0,"counted_in":"daemon",)"
            R"("top_file_paths":[{"path":"/tmp/a","count":3}],)"
            R"("top_initiator_paths":[{"path":"/usr/bin/stress-ng","count":6}],)"
            R"("top_syscall_ids":[{"id":82,"count":6}]})");
}

TEST(Statistics, KeepTheirLayoutAtTheOtherEndOfASocket) {
  StatisticsWindow window;
  observe(window, file_event("/tmp/a", "/usr/bin/stress-ng", 82), 3);
  window.observe(file_event("/tmp/b", "/usr/bin/sh", 316));
  const Statistics statistics = make_statistics(window.counts(), 20);
  const Statistics received = statistics_from_json(render_statistics_json(statistics, 10));
  EXPECT_EQ(render_statistics_text(received, 10), render_statistics_text(statistics, 10));
  EXPECT_EQ(received.events, 4U);
  EXPECT_EQ(statistics_from_json(base::Json(3)).events, 0U);
}

TEST(Statistics, KeepTheirMemoryBounded) {
  StatisticsWindow window(2);
  for (const char* path : {"/a", "/b", "/c", "/a", "/c"}) window.observe(file_event(path, "/x", 82));
  const Statistics result = make_statistics(window.counts(), 1);
  ASSERT_EQ(result.file_paths.size(), 2U);
  EXPECT_EQ(result.file_paths[0].second, 2U);
  EXPECT_EQ(result.not_counted, 2U);
}

TEST(Statistics, CountersNameEveryKindAndEveryCauseOfLoss) {
  PipelineStatistics pipeline;
  pipeline.records = 5;
  pipeline.by_kind[AS_KIND_EXEC] = 5;
  pipeline.lost = 2;
  const auto counters = stream_counters(pipeline, {{"ring buffer full", 2, {}}});
  const std::string text = render_counters_text(counters);
  EXPECT_EQ(text.find("records written : 5\nexec events : 5\nfork events : 0\n"), 0U) << text;
  EXPECT_NE(text.find("lost events : 2\nlost: ring buffer full : 2\n"), std::string::npos) << text;
}

TEST(Health, IsLaidOutAsDefenders) {
  HealthReport report;
  report.add("healthy", true);
  report.add("health_issues", base::Json::array());
  report.add("supplementary_events_subsystem", "ebpf", true);
  report.add("edr_device_tags", base::Json::array({"a", "b"}));
  report.add("events_lost", 0);
  EXPECT_EQ(report.text(),
            "healthy                                     : true\n"
            "health_issues                               : []\n"
            "supplementary_events_subsystem              : \"ebpf\" [managed]\n"
            "edr_device_tags                             : [\"a\",\"b\"]\n"
            "events_lost                                 : 0\n");
  EXPECT_EQ(report.field("supplementary_events_subsystem"), "\"ebpf\"");
  EXPECT_EQ(report.field("nonesuch"), std::nullopt);
  EXPECT_EQ(HealthReport::from_json(report.json()).text(), report.text()) << "nothing is lost on the way";
  EXPECT_EQ(HealthReport::from_json(base::Json(3)).text(), "");
}

}  // namespace
}  // namespace auditshift::sensor
