// SPDX-License-Identifier: Apache-2.0
#include "sensor/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "golden.h"
#include "sample_events.h"

namespace auditshift::sensor {
namespace {

std::string all_samples(Format format) {
  Formatter formatter(format, sample_stream());
  TextBuffer out;
  std::uint64_t sequence = 0;
  for (const Event& event : sample_events()) formatter.append(out, event, "ebpf", ++sequence);
  return std::string(out.view());
}

class EachFormat : public testing::TestWithParam<Format> {};

TEST_P(EachFormat, WritesTheSampleEventsAsInTheGoldenFile) {
  expect_golden(all_samples(GetParam()), "events." + std::string(format_name(GetParam())) + ".ndjson");
}

TEST_P(EachFormat, WritesOneValidObjectPerLineWithoutAKeyTwice) {
  std::istringstream lines(all_samples(GetParam()));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::vector<std::set<std::string>> open;
    const auto parsed = base::Json::parse(line, [&](int, base::Json::parse_event_t what, base::Json& value) {
      if (what == base::Json::parse_event_t::object_start) open.emplace_back();
      if (what == base::Json::parse_event_t::object_end) open.pop_back();
      if (what == base::Json::parse_event_t::key) {
        EXPECT_TRUE(open.back().insert(value.get<std::string>()).second) << value << " in " << line;
      }
      return true;
    });
    EXPECT_TRUE(parsed.is_object());
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
  EXPECT_EQ(count, sample_events().size());
}

/// Texts are kept per process, kind and call: what one event left behind must not stand in another.
TEST_P(EachFormat, WritesTheSameWhateverCameBefore) {
  std::vector<Event> events;
  for (const Event& sample : sample_events()) {
    events.push_back(sample);
    const auto changed = [&](auto change) { change(events.emplace_back(sample)); };
    changed([](Event& e) { e.process.id.start_ns += 1'000; });
    changed([](Event& e) { e.process.id.pid += 64; });
    changed([](Event& e) { e.process.tid += 1; });
    changed([](Event& e) { e.process.parent = {77, 78}; });
    changed([](Event& e) { e.process.comm = "another"; });
    changed([](Event& e) { e.process.comm = "\xff\xfe"; });
    changed([](Event& e) { e.process.executable.text = "/usr/bin/\xff"; });
    changed([](Event& e) { e.process.executable.deleted = !e.process.executable.deleted; });
    changed([](Event& e) { e.process.euid = 3, e.process.fsgid = 4, e.process.auid = 5; });
    changed([](Event& e) { e.process.session = 6, e.process.cgroup_id = 7, e.process.mount_namespace = 8; });
    changed([](Event& e) { e.process.container_id = "0123456789abcdef"; });
    changed([](Event& e) { e.wall_ns += 1; });
    changed([](Event& e) { e.boot_ns = 1; });
    changed([](Event& e) { e.syscall.result = -13, e.syscall.result_known = true; });
    changed([](Event& e) { e.syscall.number += 1; });
    changed([](Event& e) { e.syscall.abi = Abi::arm; });
    changed([](Event& e) { e.syscall.name = "another_call"; });
    changed([](Event& e) { e.syscall.name = "\xff"; });
  }
  std::vector<std::string> alone;
  for (const Event& event : events) {
    TextBuffer line;
    Formatter(GetParam(), sample_stream()).append(line, event, "ebpf", 1);
    alone.emplace_back(line.view());
  }
  Formatter formatter(GetParam(), sample_stream());
  for (int turn = 0; turn < 2; ++turn) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      TextBuffer line;
      formatter.append(line, events[i], "ebpf", 1);
      ASSERT_EQ(line.view(), alone[i]);
    }
    std::reverse(events.begin(), events.end());
    std::reverse(alone.begin(), alone.end());
  }
}

TEST_P(EachFormat, KeepsTheFieldsOfOneObjectTogether) {
  std::set<std::string> closed;
  std::string open;
  for (const Field& field : format_fields(GetParam())) {
    const std::string path(field.path);
    const std::string parent = path.substr(0, path.rfind('.') == std::string::npos ? 0 : path.rfind('.'));
    for (std::string outer = open; !outer.empty() && (parent + ".").rfind(outer + ".", 0) != 0;
         outer = outer.rfind('.') == std::string::npos ? "" : outer.substr(0, outer.rfind('.')))
      closed.insert(outer);
    // The actor's rows come once per set of kinds, and these sets do not overlap.
    const bool by_kind = path.rfind("actor.", 0) == 0 || path.rfind("process.", 0) == 0;
    if (by_kind && GetParam() == Format::ocsf) continue;
    EXPECT_EQ(closed.count(parent), 0U) << path << " opens an object again";
    open = parent;
  }
}

TEST_P(EachFormat, HasEveryFieldInTheDocumentation) {
  std::ifstream file(std::string(AUDITSHIFT_SOURCE_DIR) + "/docs/events.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const Field& field : format_fields(GetParam()))
    EXPECT_NE(text.str().find("`" + std::string(field.path) + "`"), std::string::npos) << field.path;
}

TEST_P(EachFormat, WritesEveryKind) {
  KindSet seen;
  for (const Event& event : sample_events()) seen.insert(event.kind);
  EXPECT_EQ(seen, KindSet::all()) << "the samples above lack a kind";
}

INSTANTIATE_TEST_SUITE_P(Format, EachFormat, testing::Values(Format::ecs, Format::ocsf, Format::raw),
                         [](const auto& test) { return std::string(format_name(test.param)); });

TEST(Format, LeavesOutWhatIsUnknown) {
  Event event;
  event.kind = EventKind::exit;
  event.process.id.pid = 7;
  Formatter formatter(Format::raw, sample_stream());
  TextBuffer out;
  formatter.append(out, event, "netlink", 1);
  EXPECT_EQ(out.view(), R"({"kind":"exit","sequence":1,"provider":"netlink","boot_ns":0,"wall_ns":0,"cpu":0,)"
                        R"("process":{"pid":7}})"
                        "\n");
}

TEST(Format, EcsTellsTheRealIdsAndThoseThatDiffer) {
  Event event;
  event.kind = EventKind::exit;
  Process& process = event.process;
  process.uid = process.suid = process.fsuid = 1000;
  process.gid = process.egid = process.fsgid = 100;
  process.euid = 0;
  process.sgid = 7;
  Formatter formatter(Format::ecs, sample_stream());
  const auto user = [&] {
    TextBuffer out;
    formatter.append(out, event, "ebpf", 1);
    return base::Json::parse(out.view()).at("user").dump();
  };
  EXPECT_EQ(user(),
            R"({"id":"1000","group":{"id":"100"},"effective":{"id":"0"},"saved":{"group":{"id":"7"}}})");
  process.euid = 1000;
  process.sgid = kUnknownId;
  EXPECT_EQ(user(), R"({"id":"1000","group":{"id":"100"}})");
  process.uid = kUnknownId;
  EXPECT_EQ(user(), R"({"group":{"id":"100"},"effective":{"id":"1000"},"saved":{"id":"1000"},)"
                    R"("filesystem":{"id":"1000"}})");
}

TEST(Format, NamesLeadBackToTheFormat) {
  for (const Format format : {Format::ecs, Format::ocsf, Format::raw})
    EXPECT_EQ(format_from_name(format_name(format)), format);
  EXPECT_EQ(format_from_name("cef"), std::nullopt);
}

}  // namespace
}  // namespace auditshift::sensor
