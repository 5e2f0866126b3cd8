// SPDX-License-Identifier: Apache-2.0
#include "sensor/event_counts.h"

#include <algorithm>

namespace auditshift::sensor {
namespace {

bool is_known(const Path& path) {
  return path.text.starts_with('/') && !path.unresolved && !path.truncated && !path.unreadable &&
         !path.chroot_relative;
}

EventCounts::Names names_of(const Event& event) {
  EventCounts::Names names{std::string(event.path.text), {}, event.kind, is_known(event.path)};
  if (event.kind == EventKind::rename || event.kind == EventKind::link) {
    names.second_path = event.second_path.text;
    names.known = names.known && is_known(event.second_path);
  }
  return names;
}

void take_away(std::uint64_t& from, std::uint64_t what) { from -= std::min(from, what); }

}  // namespace

void EventCounts::add_names(const Event& event, std::uint64_t count) {
  if (!event.path.text.empty()) names[names_of(event)] += count;
}

void EventCounts::forget_names(const Event& event) { names.erase(names_of(event)); }

void EventCounts::add_initiator(const Event& event, std::uint64_t count, std::uint64_t ns) {
  events += count;
  if (event.process.executable.text.empty()) return;
  ByInitiator& by = initiators[{std::string(event.process.executable.text), event.kind}];
  by.events += count;
  by.ns += ns;
}

void EventCounts::subtract(const EventCounts& before) {
  for (const auto& [key, count] : before.names) {
    if (const auto found = names.find(key); found != names.end()) take_away(found->second, count);
  }
  for (const auto& [key, by] : before.initiators) {
    if (const auto found = initiators.find(key); found != initiators.end()) {
      take_away(found->second.events, by.events);
      take_away(found->second.ns, by.ns);
    }
  }
  for (const auto& [number, count] : before.syscalls) {
    if (const auto found = syscalls.find(number); found != syscalls.end()) take_away(found->second, count);
  }
  std::erase_if(names, [](const auto& entry) { return entry.second == 0; });
  std::erase_if(initiators, [](const auto& entry) { return entry.second.events == 0; });
  std::erase_if(syscalls, [](const auto& entry) { return entry.second == 0; });
  take_away(events, before.events);
  take_away(not_counted, before.not_counted);
}

}  // namespace auditshift::sensor
