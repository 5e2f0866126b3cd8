// SPDX-License-Identifier: Apache-2.0
#include "sensor/advice.h"

#include <gmock/gmock.h>

#include "sensor/exclusions.h"

namespace auditshift::sensor {
namespace {

using ::testing::ElementsAre;

Event file_event(EventKind kind, std::string_view path, std::string_view second = {}) {
  Event event;
  event.kind = kind;
  event.path.text = path;
  event.path.present = true;
  event.second_path.text = second;
  event.second_path.present = !second.empty();
  event.process.executable.text = "/usr/bin/tool";
  return event;
}

EventCounts counts_of(const std::vector<std::pair<Event, std::uint64_t>>& events) {
  EventCounts counts;
  for (const auto& [event, count] : events) {
    counts.add_names(event, count);
    counts.add_initiator(event, count, 0);
  }
  return counts;
}

std::vector<std::string> lines(const std::vector<Advice>& advice) {
  std::vector<std::string> lines;
  for (const Advice& item : advice)
    lines.push_back(std::string(exclusion_kind_name(item.entry.kind)) + " " + item.entry.path + " " +
                    std::to_string(item.events));
  return lines;
}

TEST(Advice, NamesWhatWouldRemoveMostAndTheDeepestFolderThatDoes) {
  const EventCounts counts = counts_of({{file_event(EventKind::create, "/srv/app/cache/1"), 50},
                                        {file_event(EventKind::create, "/srv/app/cache/2"), 45},
                                        {file_event(EventKind::unlink, "/srv/app/log"), 5},
                                        {file_event(EventKind::open, "/etc/motd"), 1}});
  const auto advice = advise(counts, 3);
  EXPECT_THAT(lines(advice), ElementsAre("process /usr/bin/tool 101", "folder /srv/app/cache 95",
                                         "file /srv/app/cache/1 50"));
  EXPECT_THAT(advice[0].blinds, ElementsAre(std::pair(EventKind::create, 95), std::pair(EventKind::unlink, 5),
                                            std::pair(EventKind::open, 1)));
}

TEST(Advice, CountsEventsWithTwoNamesWhereBothAreIn) {
  const EventCounts counts = counts_of({{file_event(EventKind::rename, "/a/b/1", "/a/b/2"), 10},
                                        {file_event(EventKind::rename, "/a/b/1", "/a/c/2"), 7}});
  EXPECT_THAT(lines(advise(counts, 10)),
              ElementsAre("folder /a 17", "process /usr/bin/tool 17", "folder /a/b 10"));
}

TEST(Advice, SaysNothingOfNamesThatNoEntryCanMean) {
  Event relative = file_event(EventKind::mkdir, "x/y");
  relative.path.unresolved = true;
  Event rooted = file_event(EventKind::mkdir, "/x/y");
  rooted.path.chroot_relative = true;
  const EventCounts counts = counts_of({{relative, 5},
                                        {rooted, 5},
                                        {file_event(EventKind::exec, "/bin/true"), 5},
                                        {file_event(EventKind::mkdir, "/top"), 5}});
  EXPECT_THAT(lines(advise(counts, 10)), ElementsAre("process /usr/bin/tool 20", "file /top 5"));
}

/// What is promised is what the filter would do.
TEST(Advice, MeansWhatExclusionsMean) {
  const std::vector<std::pair<Event, std::uint64_t>> events = {
      {file_event(EventKind::rename, "/a/b/1", "/a/b/2"), 3},
      {file_event(EventKind::rename, "/a/b/1", "/a/1"), 4},
      {file_event(EventKind::link, "/a/b/1", "/b/1"), 5},
      {file_event(EventKind::create, "/a/b"), 6},
      {file_event(EventKind::mount, "/a/b"), 7},
      {file_event(EventKind::unlink, "/a/bc"), 8}};
  for (const Advice& advice : advise(counts_of(events), 100)) {
    const Exclusions exclusions({advice.entry});
    std::uint64_t removed = 0;
    for (const auto& [event, count] : events) removed += exclusions.excluded(event) ? count : 0;
    EXPECT_EQ(advice.events, removed) << advice.entry.path;
  }
}

TEST(EventCounts, TellWhatCameInBetween) {
  EventCounts before =
      counts_of({{file_event(EventKind::mkdir, "/a"), 2}, {file_event(EventKind::mkdir, "/b"), 1}});
  before.syscalls[83] = 3;
  EventCounts now = before;
  now.add_names(file_event(EventKind::mkdir, "/a"), 5);
  now.add_initiator(file_event(EventKind::mkdir, "/a"), 5, 1000);
  now.syscalls[83] = 8;
  now.subtract(before);
  EXPECT_EQ(now.names.size(), 1U);
  EXPECT_EQ(now.names.begin()->second, 5U);
  EXPECT_EQ(now.initiators.begin()->second.events, 5U);
  EXPECT_EQ(now.initiators.begin()->second.ns, 1000U);
  EXPECT_EQ(now.syscalls.at(83), 5U);
  EXPECT_EQ(now.events, 5U);
}

}  // namespace
}  // namespace auditshift::sensor
