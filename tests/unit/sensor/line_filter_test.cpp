// SPDX-License-Identifier: Apache-2.0
#include "sensor/line_filter.h"

#include <gtest/gtest.h>

#include <set>

#include "sample_events.h"

namespace auditshift::sensor {
namespace {

/// Numbers of the sample events that pass.
std::set<std::uint64_t> passing(Format format, const std::vector<std::string>& conditions) {
  const auto filter = LineFilter::parse(format, conditions);
  EXPECT_TRUE(filter.ok()) << filter.error().message();
  Formatter formatter(format, sample_stream());
  std::set<std::uint64_t> numbers;
  std::uint64_t number = 0;
  for (const Event& event : sample_events()) {
    TextBuffer line;
    formatter.append(line, event, "ebpf", ++number);
    if (filter->passes(line.view())) numbers.insert(number);
  }
  return numbers;
}

/// Numbers of the sample events for which `wanted` is true, and of losses.
template <class Wanted>
std::set<std::uint64_t> chosen(Wanted wanted) {
  std::set<std::uint64_t> numbers;
  std::uint64_t number = 0;
  for (const Event& event : sample_events()) {
    ++number;
    if (event.kind == EventKind::loss || wanted(event)) numbers.insert(number);
  }
  return numbers;
}

class LineFilterTest : public testing::TestWithParam<Format> {};

TEST_P(LineFilterTest, ChoosesTheSameEventsInEveryFormat) {
  const auto of_kind = [](EventKind kind) { return chosen([=](const Event& e) { return e.kind == kind; }); };
  EXPECT_EQ(passing(GetParam(), {"kind=rename"}), of_kind(EventKind::rename));
  EXPECT_EQ(passing(GetParam(), {"kind=rename", "kind=exec"}),
            chosen([](const Event& e) { return e.kind == EventKind::rename || e.kind == EventKind::exec; }));
  EXPECT_EQ(passing(GetParam(), {"pid=4242"}),
            chosen([](const Event& e) { return e.process.id.pid == 4242; }));
  EXPECT_EQ(passing(GetParam(), {"pid=4300"}),
            chosen([](const Event& e) { return e.process.id.pid == 4300; }))
      << "the process acted on is another";
  EXPECT_EQ(passing(GetParam(), {"uid=1000"}), chosen([](const Event& e) { return e.process.uid == 1000; }));
  EXPECT_EQ(passing(GetParam(), {"ppid=4000", "kind=exit"}), of_kind(EventKind::exit));
  EXPECT_EQ(passing(GetParam(), {"executable=/usr/bin/worker"}),
            chosen([](const Event& e) { return e.process.executable.text == "/usr/bin/worker"; }));
  EXPECT_EQ(passing(GetParam(), {"kind=exec", "executable=/nowhere"}),
            chosen([](const Event&) { return false; }));
}

TEST_P(LineFilterTest, APathMeansWhatIsBelowItToo) {
  const auto rename = chosen([](const Event& e) { return e.kind == EventKind::rename; });
  for (const char* path : {"path=/srv/data/a", "path=/srv/data/a.tmp", "path=/srv/", "path=/srv/data"})
    EXPECT_EQ(passing(GetParam(), {"kind=rename", path}), rename) << path;
  EXPECT_EQ(passing(GetParam(), {"kind=rename", "path=/srv/dat"}), chosen([](const Event&) { return false; }))
      << "a path is no prefix";
}

INSTANTIATE_TEST_SUITE_P(Formats, LineFilterTest, testing::Values(Format::ecs, Format::ocsf, Format::raw),
                         [](const auto& test) { return std::string(format_name(test.param)); });

TEST(LineFilter, SaysWhatWasMeant) {
  const auto error = [](const char* condition) {
    const auto filter = LineFilter::parse(Format::ecs, {condition});
    return filter.ok() ? std::string() : filter.error().message() + " | " + filter.error().hint();
  };
  EXPECT_EQ(error("executabel=/bin/sh"), "no such filter: executabel | did you mean executable?");
  EXPECT_EQ(error("kind=renam"), "no such kind of event: renam | did you mean rename?");
  EXPECT_EQ(error("pid=self"), "pid is a number, not 'self' | ");
  EXPECT_EQ(error("path=etc"), "path is a full path, not 'etc' | ");
  EXPECT_EQ(error("exec"), "a filter is KEY=VALUE, not 'exec' | ");
  EXPECT_EQ(error("path=/etc"), "");
}

TEST(LineFilter, PassesEverythingWithoutConditions) {
  const auto filter = LineFilter::parse(Format::ecs, {});
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->passes("{}"));
  EXPECT_FALSE(LineFilter::parse(Format::ecs, {"pid=1"})->passes("no JSON"));
}

}  // namespace
}  // namespace auditshift::sensor
