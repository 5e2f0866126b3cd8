// SPDX-License-Identifier: Apache-2.0
#include "sensor/pipeline.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "sample_events.h"

namespace auditshift::sensor {
namespace {

class MemorySink final : public Sink {
 public:
  void write(std::string_view lines, std::uint64_t records) override {
    ++writes;
    text += lines;
    status_.records += records;
  }
  bool wanted() const override { return wanted_; }
  SinkStatus status() const override { return status_; }

  std::string text;
  int writes = 0;
  bool wanted_ = true;

 private:
  SinkStatus status_;
};

Event event_of(EventKind kind, std::uint32_t pid = 4242) {
  Event event;
  event.kind = kind;
  event.process.id.pid = pid;
  event.boot_ns = 5;
  return event;
}

std::vector<base::Json> lines_of(const std::string& text) {
  std::vector<base::Json> lines;
  for (const std::string_view line : base::split(text, '\n')) {
    if (!line.empty()) lines.push_back(base::Json::parse(line));
  }
  return lines;
}

class PipelineTest : public testing::Test {
 protected:
  base::FixedClock clock_{base::WallTime(std::chrono::seconds(1'000'000)), std::chrono::seconds(100)};
  Pipeline pipeline_{sample_stream(), clock_};
  MemorySink sink_;
};

TEST_F(PipelineTest, WantsDetailsOnlyWhenSomebodyLooksAtThem) {
  class Filter final : public EventFilter {
   public:
    bool excluded(const Event&) const override { return false; }
    bool empty() const override { return is_empty; }
    bool is_empty = true;
  } filter;
  pipeline_.set_filter(&filter);
  EXPECT_FALSE(pipeline_.wants_details());
  filter.is_empty = false;
  EXPECT_TRUE(pipeline_.wants_details());
  filter.is_empty = true;
  pipeline_.add_sink(Format::raw, sink_);
  EXPECT_TRUE(pipeline_.wants_details());
  sink_.wanted_ = false;
  EXPECT_FALSE(pipeline_.wants_details());
}

TEST_F(PipelineTest, WritesABatchWithOneCallPerSink) {
  MemorySink other;
  pipeline_.add_sink(Format::raw, sink_);
  pipeline_.add_sink(Format::ecs, other);
  for (int i = 0; i < 3; ++i) pipeline_.consume(event_of(EventKind::exec));
  EXPECT_EQ(sink_.writes, 0);
  pipeline_.end_of_batch();
  pipeline_.end_of_batch();
  EXPECT_EQ(sink_.writes, 1);
  const auto lines = lines_of(sink_.text);
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(lines[i]["sequence"], i + 1);
  EXPECT_EQ(lines_of(other.text)[0]["event"]["action"], "exec");
  EXPECT_EQ(pipeline_.statistics().records, 3U);
  EXPECT_EQ(pipeline_.statistics().by_kind[AS_KIND_EXEC], 3U);
}

TEST_F(PipelineTest, WritesEarlyWhenABatchGrowsLarge) {
  pipeline_.add_sink(Format::ecs, sink_);
  for (int i = 0; i < 2000; ++i) pipeline_.consume(event_of(EventKind::exec));
  EXPECT_GE(sink_.writes, 1);
}

TEST_F(PipelineTest, KeepsBackTheUnwantedAndItself) {
  pipeline_.add_sink(Format::raw, sink_);
  pipeline_.set_kinds({EventKind::exec});
  pipeline_.consume(event_of(EventKind::fork));
  pipeline_.consume(event_of(EventKind::exec, static_cast<std::uint32_t>(::getpid())));
  pipeline_.end_of_batch();
  EXPECT_EQ(sink_.text, "");
  EXPECT_EQ(pipeline_.statistics().unwanted, 1U);
  EXPECT_EQ(pipeline_.statistics().own, 1U);
}

TEST_F(PipelineTest, DoesNotFormatForNobody) {
  sink_.wanted_ = false;
  pipeline_.add_sink(Format::raw, sink_);
  pipeline_.consume(event_of(EventKind::exec));
  pipeline_.end_of_batch();
  EXPECT_EQ(sink_.writes, 0);
  sink_.wanted_ = true;
  pipeline_.consume(event_of(EventKind::exec));
  pipeline_.end_of_batch();
  EXPECT_EQ(lines_of(sink_.text).size(), 1U);
  EXPECT_EQ(lines_of(sink_.text)[0]["sequence"], 2) << "the one that nobody saw has its number";
}

TEST_F(PipelineTest, TellsLossesWithTheirCauseAndTime) {
  pipeline_.add_sink(Format::raw, sink_);
  pipeline_.set_provider("ebpf");
  clock_.advance(std::chrono::seconds(1));
  pipeline_.report_losses({{"ring buffer full", 0, {}}, {"event too long", 2, {}}});
  clock_.advance(std::chrono::seconds(1));
  pipeline_.report_losses({{"ring buffer full", 5, {}}, {"event too long", 2, {}}});
  clock_.advance(std::chrono::seconds(1));
  pipeline_.report_losses({{"ring buffer full", 5, {}}, {"event too long", 2, {}}});
  const auto lines = lines_of(sink_.text);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["kind"], "loss");
  EXPECT_EQ(lines[0]["loss"].dump(),
            R"({"cause":"event too long","count":2,"first_ns":100000000000,"last_ns":101000000000})");
  EXPECT_EQ(lines[1]["loss"].dump(),
            R"({"cause":"ring buffer full","count":5,"first_ns":101000000000,"last_ns":102000000000})");
  EXPECT_EQ(pipeline_.statistics().lost, 7U);
}

TEST_F(PipelineTest, PassesOnTheLossesThatAProviderTellsItself) {
  pipeline_.add_sink(Format::raw, sink_);
  Event loss = event_of(EventKind::loss, 0);
  loss.loss = {"ring buffer full", 9, 1, 2};
  pipeline_.set_kinds({EventKind::exec});
  pipeline_.consume(loss);
  pipeline_.end_of_batch();
  EXPECT_EQ(lines_of(sink_.text)[0]["loss"]["count"], 9) << "whatever kinds are asked for";
  EXPECT_EQ(pipeline_.statistics().lost, 9U);
}

TEST_F(PipelineTest, CountsOnWhenTheProviderBeganAnew) {
  pipeline_.add_sink(Format::raw, sink_);
  pipeline_.report_losses({{"reader overrun", 10, {}}});
  pipeline_.report_losses({{"reader overrun", 3, {}}});
  EXPECT_EQ(pipeline_.statistics().lost, 13U);
}

}  // namespace
}  // namespace auditshift::sensor
