// SPDX-License-Identifier: Apache-2.0
#include "sensor/advice.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "sensor/kind_profile.h"

namespace auditshift::sensor {
namespace {

struct Candidate {
  std::uint64_t events = 0;
  std::map<EventKind, std::uint64_t> kinds;
  void add(EventKind kind, std::uint64_t count) {
    events += count;
    kinds[kind] += count;
  }
};
/// By kind of entry and path.
using Candidates = std::map<std::pair<ExclusionKind, std::string>, Candidate>;

std::string_view parent_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_file_event(const EventCounts::Names& names) { return names.known && kFileKinds.contains(names.kind); }

/// What certainly is a folder: something was done below it.
std::set<std::string, std::less<>> folders_of(const EventCounts& counts) {
  std::set<std::string, std::less<>> folders;
  for (const auto& [names, count] : counts.names) {
    if (!is_file_event(names)) continue;
    for (std::string_view folder = parent_of(names.path); !folder.empty(); folder = parent_of(folder))
      folders.emplace(folder);
  }
  return folders;
}

void add_paths(const EventCounts& counts, Candidates& candidates) {
  const auto folders = folders_of(counts);
  for (const auto& [names, count] : counts.names) {
    if (!is_file_event(names)) continue;
    const bool two = !names.second_path.empty();
    if (!two || names.second_path == names.path)
      candidates[{ExclusionKind::file, names.path}].add(names.kind, count);
    // A folder is itself and all below it.
    for (std::string_view folder = names.path; !folder.empty(); folder = parent_of(folder)) {
      if (!folders.contains(folder) || (two && !is_in(names.second_path, folder))) continue;
      candidates[{ExclusionKind::folder, std::string(folder)}].add(names.kind, count);
    }
  }
}

/// Whether an entry inside `folder` does nearly as much.
bool has_better_inside(const Candidates& candidates, const std::string& folder, std::uint64_t events) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const auto& other) {
    const auto& [key, candidate] = other;
    if (key.first == ExclusionKind::process || key.second.size() <= folder.size() ||
        !is_in(key.second, folder))
      return false;
    return key.first == ExclusionKind::file ? candidate.events == events
                                            : candidate.events >= events - events / 10;
  });
}

}  // namespace

std::vector<Advice> advise(const EventCounts& counts, std::size_t limit) {
  Candidates candidates;
  for (const auto& [key, by] : counts.initiators)
    candidates[{ExclusionKind::process, key.first}].add(key.second, by.events);
  add_paths(counts, candidates);
  std::vector<Advice> all;
  for (const auto& [key, candidate] : candidates) {
    if (!key.second.starts_with('/') || key.second == "/" || candidate.events == 0) continue;
    Advice advice{{key.first, key.second}, candidate.events, {}, {}};
    advice.blinds.assign(candidate.kinds.begin(), candidate.kinds.end());
    std::stable_sort(advice.blinds.begin(), advice.blinds.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    all.push_back(std::move(advice));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Advice& a, const Advice& b) { return a.events > b.events; });
  std::vector<Advice> best;
  for (Advice& advice : all) {
    if (best.size() == limit) break;
    if (advice.entry.kind == ExclusionKind::folder &&
        has_better_inside(candidates, advice.entry.path, advice.events))
      continue;
    best.push_back(std::move(advice));
  }
  return best;
}

}  // namespace auditshift::sensor
