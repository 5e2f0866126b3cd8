// SPDX-License-Identifier: Apache-2.0
#include "sensor/statistics.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "base/json_number.h"
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

void read(const base::Json& json, std::string& to) { to = json.get<std::string>(); }
void read(const base::Json& json, int& to) { to = base::whole_number<int>(json); }

template <class Name>
std::vector<std::pair<Name, std::uint64_t>> list_from_json(const base::Json& json, const char* list,
                                                           const char* key) {
  std::vector<std::pair<Name, std::uint64_t>> names;
  for (const base::Json& item : json.value(list, base::Json::array())) {
    auto& [name, count] = names.emplace_back();
    read(item.at(key), name);
    count = base::whole_number<std::uint64_t>(item.at("count"));
  }
  return names;
}

std::string milliseconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string render_cpu_text(const std::vector<InitiatorCost>& costs, std::size_t top) {
  std::string text = "Top initiators by CPU milliseconds (kernel measured + daemon estimated):\n";
  for (std::size_t i = 0; i < std::min(top, costs.size()); ++i)
    text += base::printable(costs[i].path) + " : " + milliseconds(costs[i].kernel_ms) + " + " +
            milliseconds(costs[i].daemon_ms) + "\n";
  return text;
}

std::string render_advice_text(const std::vector<Advice>& advice, std::uint64_t events) {
  std::string text = "Exclusions that would remove most:\n";
  for (const Advice& item : advice) {
    text += std::string(exclusion_kind_name(item.entry.kind)) + " " + base::printable(item.entry.path) +
            " : " + std::to_string(item.events);
    if (events != 0) text += " (" + std::to_string(item.events * 100 / events) + " %)";
    text += "\n  blinds:";
    for (const auto& [kind, count] : item.blinds)
      text += (&kind == &item.blinds.front().first ? " " : ", ") + std::string(kind_name(kind)) + " " +
              std::to_string(count);
    text += "\n";
    for (const std::string& danger : item.dangers) text += "  dangerous: " + danger + "\n";
  }
  return text;
}

base::Json cpu_json(const std::vector<InitiatorCost>& costs, std::size_t top) {
  base::Json out = base::Json::array();
  for (std::size_t i = 0; i < std::min(top, costs.size()); ++i)
    out.push_back({{"path", costs[i].path},
                   {"events", costs[i].events},
                   {"kernel_ms", costs[i].kernel_ms},
                   {"daemon_ms_estimated", costs[i].daemon_ms}});
  return out;
}

std::vector<InitiatorCost> cpu_from_json(const base::Json& json) {
  std::vector<InitiatorCost> costs;
  for (const base::Json& item : json)
    costs.push_back({item.at("path").get<std::string>(), base::whole_number<std::uint64_t>(item.at("events")),
                     item.at("kernel_ms").get<double>(), item.at("daemon_ms_estimated").get<double>()});
  return costs;
}

base::Json advice_json(const std::vector<Advice>& advice) {
  base::Json out = base::Json::array();
  for (const Advice& item : advice) {
    base::Json blinds = base::Json::object();
    for (const auto& [kind, count] : item.blinds) blinds[std::string(kind_name(kind))] = count;
    out.push_back({{"type", exclusion_kind_name(item.entry.kind)},
                   {"path", item.entry.path},
                   {"events", item.events},
                   {"blinds", std::move(blinds)},
                   {"dangers", item.dangers}});
  }
  return out;
}

std::vector<Advice> advice_from_json(const base::Json& json) {
  std::vector<Advice> advice;
  for (const base::Json& item : json) {
    Advice one;
    const auto type = item.at("type").get<std::string>();
    one.entry = {type == "process" ? ExclusionKind::process
                 : type == "file"  ? ExclusionKind::file
                                   : ExclusionKind::folder,
                 item.at("path").get<std::string>()};
    one.events = base::whole_number<std::uint64_t>(item.at("events"));
    for (const auto& [kind, count] : item.at("blinds").items())
      one.blinds.emplace_back(kind_from_name(kind).value_or(EventKind::none),
                              base::whole_number<std::uint64_t>(count));
    one.dangers = item.at("dangers").get<std::vector<std::string>>();
    advice.push_back(std::move(one));
  }
  return advice;
}

}  // namespace

Statistics make_statistics(const EventCounts& counts, unsigned seconds) {
  std::map<std::string, std::uint64_t> paths, initiators;
  for (const auto& [names, count] : counts.names) paths[names.path] += count;
  for (const auto& [key, by] : counts.initiators) initiators[key.first] += by.events;
  Statistics statistics;
  statistics.seconds = seconds;
  statistics.file_paths = sorted(paths);
  statistics.initiator_paths = sorted(initiators);
  statistics.syscall_ids = sorted(counts.syscalls);
  statistics.events = counts.events;
  statistics.not_counted = counts.not_counted;
  return statistics;
}

std::vector<InitiatorCost> cost_of_initiators(const EventCounts& counts, double daemon_ms) {
  std::map<std::string, InitiatorCost> by_path;
  for (const auto& [key, by] : counts.initiators) {
    InitiatorCost& cost = by_path[key.first];
    cost.path = key.first;
    cost.events += by.events;
    cost.kernel_ms += static_cast<double>(by.ns) / 1e6;
  }
  std::vector<InitiatorCost> costs;
  for (auto& [path, cost] : by_path) {
    if (counts.events != 0)
      cost.daemon_ms = daemon_ms * static_cast<double>(cost.events) / static_cast<double>(counts.events);
    costs.push_back(std::move(cost));
  }
  std::stable_sort(costs.begin(), costs.end(), [](const InitiatorCost& a, const InitiatorCost& b) {
    return a.kernel_ms + a.daemon_ms > b.kernel_ms + b.daemon_ms;
  });
  return costs;
}

std::string render_statistics_text(const Statistics& statistics, std::size_t top) {
  std::string text = "Monitor " + std::to_string(statistics.seconds) + " seconds\n";
  render_list(text, "Top file paths", statistics.file_paths, top);
  render_list(text, "Top initiator paths", statistics.initiator_paths, top);
  render_list(text, "Top syscall ids", statistics.syscall_ids, top);
  if (statistics.cpu) text += render_cpu_text(*statistics.cpu, top);
  if (statistics.advice) text += render_advice_text(*statistics.advice, statistics.events);
  return text;
}

base::Json render_statistics_json(const Statistics& statistics, std::size_t top) {
  base::Json json = {{"seconds", statistics.seconds},
                     {"events", statistics.events},
                     {"not_counted", statistics.not_counted},
                     {"counted_in", statistics.in_kernel ? "kernel" : "daemon"},
                     {"top_file_paths", list_json("path", statistics.file_paths, top)},
                     {"top_initiator_paths", list_json("path", statistics.initiator_paths, top)},
                     {"top_syscall_ids", list_json("id", statistics.syscall_ids, top)}};
  if (statistics.cpu) json["top_initiators_by_cpu"] = cpu_json(*statistics.cpu, top);
  if (statistics.advice) json["advice"] = advice_json(*statistics.advice);
  return json;
}

Statistics statistics_from_json(const base::Json& json) {
  Statistics statistics;
  if (!json.is_object()) return statistics;
  statistics.seconds = base::whole_number<unsigned>(json.value("seconds", base::Json(0U)));
  statistics.events = base::whole_number<std::uint64_t>(json.value("events", base::Json(0U)));
  statistics.not_counted = base::whole_number<std::uint64_t>(json.value("not_counted", base::Json(0U)));
  statistics.in_kernel = json.value("counted_in", std::string()) == "kernel";
  statistics.file_paths = list_from_json<std::string>(json, "top_file_paths", "path");
  statistics.initiator_paths = list_from_json<std::string>(json, "top_initiator_paths", "path");
  statistics.syscall_ids = list_from_json<int>(json, "top_syscall_ids", "id");
  if (json.contains("top_initiators_by_cpu")) statistics.cpu = cpu_from_json(json["top_initiators_by_cpu"]);
  if (json.contains("advice")) statistics.advice = advice_from_json(json["advice"]);
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

void StatisticsWindow::observe(const Event& event) {
  if (event.kind == EventKind::running || event.kind == EventKind::loss) return;
  if (event.syscall.number >= 0) ++counts_.syscalls[event.syscall.number];
  counts_.add_initiator(event, 1, 0);
  const std::size_t before = counts_.names.size();
  counts_.add_names(event, 1);
  if (counts_.names.size() > name_limit_ && counts_.names.size() > before) {
    // The newcomer goes: its name is the one that has no more than this event.
    counts_.forget_names(event);
    ++counts_.not_counted;
  }
}

}  // namespace auditshift::sensor
