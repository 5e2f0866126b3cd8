// SPDX-License-Identifier: Apache-2.0
#include "sensor/statistics.h"

#include <algorithm>

#include "base/text.h"

namespace auditshift::sensor {
namespace {

template <class Map>
auto sorted(const Map& counts) {
  using Key = std::remove_const_t<typename Map::key_type>;
  std::vector<std::pair<Key, std::uint64_t>> list(counts.begin(), counts.end());
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return list;
}

std::string name_text(const std::string& name) { return base::printable(name); }
std::string name_text(int number) { return std::to_string(number); }

template <class List>
void render_list(std::string& text, std::string_view title, const List& list, std::size_t top) {
  text += std::string(title) + ":\n";
  for (std::size_t i = 0; i < std::min(top, list.size()); ++i)
    text += name_text(list[i].first) + " : " + std::to_string(list[i].second) + "\n";
}

template <class List>
base::Json list_json(const char* key, const List& list, std::size_t top) {
  base::Json out = base::Json::array();
  for (std::size_t i = 0; i < std::min(top, list.size()); ++i)
    out.push_back({{key, list[i].first}, {"count", list[i].second}});
  return out;
}

template <class Name>
std::vector<std::pair<Name, std::uint64_t>> list_from_json(const base::Json& json, const char* list,
                                                           const char* key) {
  std::vector<std::pair<Name, std::uint64_t>> names;
  for (const base::Json& item : json.value(list, base::Json::array()))
    names.emplace_back(item.at(key).get<Name>(), item.at("count").get<std::uint64_t>());
  return names;
}

}  // namespace

std::string render_statistics_text(const Statistics& statistics, std::size_t top) {
  std::string text = "Monitor " + std::to_string(statistics.seconds) + " seconds\n";
  render_list(text, "Top file paths", statistics.file_paths, top);
  render_list(text, "Top initiator paths", statistics.initiator_paths, top);
  render_list(text, "Top syscall ids", statistics.syscall_ids, top);
  return text;
}

base::Json render_statistics_json(const Statistics& statistics, std::size_t top) {
  return {{"seconds", statistics.seconds},
          {"events", statistics.events},
          {"not_counted", statistics.not_counted},
          {"top_file_paths", list_json("path", statistics.file_paths, top)},
          {"top_initiator_paths", list_json("path", statistics.initiator_paths, top)},
          {"top_syscall_ids", list_json("id", statistics.syscall_ids, top)}};
}

Statistics statistics_from_json(const base::Json& json) {
  Statistics statistics;
  if (!json.is_object()) return statistics;
  statistics.seconds = json.value("seconds", 0U);
  statistics.events = json.value("events", std::uint64_t{0});
  statistics.not_counted = json.value("not_counted", std::uint64_t{0});
  statistics.file_paths = list_from_json<std::string>(json, "top_file_paths", "path");
  statistics.initiator_paths = list_from_json<std::string>(json, "top_initiator_paths", "path");
  statistics.syscall_ids = list_from_json<int>(json, "top_syscall_ids", "id");
  return statistics;
}

std::string render_counters_text(const std::vector<std::pair<std::string, std::uint64_t>>& counters) {
  std::string text;
  for (const auto& [name, value] : counters) text += name + " : " + std::to_string(value) + "\n";
  return text;
}

std::vector<std::pair<std::string, std::uint64_t>> stream_counters(const PipelineStatistics& pipeline,
                                                                   const std::vector<DropCounter>& drops) {
  std::vector<std::pair<std::string, std::uint64_t>> counters{{"records written", pipeline.records}};
  for (const EventKind kind : all_kinds())
    counters.emplace_back(std::string(kind_name(kind)) + " events",
                          pipeline.by_kind[static_cast<std::size_t>(kind)]);
  counters.emplace_back("excluded events", pipeline.excluded);
  counters.emplace_back("events of kinds not asked for", pipeline.unwanted);
  counters.emplace_back("events of the sensor itself", pipeline.own);
  counters.emplace_back("lost events", pipeline.lost);
  for (const DropCounter& drop : drops) counters.emplace_back("lost: " + std::string(drop.cause), drop.count);
  return counters;
}

void StatisticsWindow::count(Names& names, std::string_view name, std::uint64_t times) {
  if (name.empty()) return;
  if (const auto known = names.find(name); known != names.end()) {
    known->second += times;
  } else if (names.size() < name_limit_) {
    names.emplace(name, times);
  } else {
    not_counted_ += times;
  }
}

void StatisticsWindow::observe(const Event& event) {
  if (event.kind == EventKind::running || event.kind == EventKind::loss) return;
  events_ += event.count;
  count(paths_, event.path.text, event.count);
  count(initiators_, event.process.executable.text, event.count);
  if (event.syscall.number >= 0) syscalls_[event.syscall.number] += event.count;
}

Statistics StatisticsWindow::result(unsigned seconds) const {
  return {seconds, sorted(paths_), sorted(initiators_), sorted(syscalls_), events_, not_counted_};
}

}  // namespace auditshift::sensor
