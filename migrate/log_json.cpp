// SPDX-License-Identifier: Apache-2.0
#include "migrate/log_json.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_number.h"

namespace auditshift::migrate {
namespace {

using auditd::DailyVolumes;
using auditd::LogStatistics;
using auditd::Volume;
using base::Json;

Json volume_json(const Volume& volume) { return Json::array({volume.events, volume.bytes}); }

Json daily_json(const DailyVolumes& volumes) {
  Json names = Json::object();
  for (const auto& [name, days] : volumes) {
    Json by_day = Json::object();
    for (const auto& [day, volume] : days) by_day[base::format_date(day)] = volume_json(volume);
    names[name] = std::move(by_day);
  }
  return names;
}

std::chrono::sys_days parse_day(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (std::sscanf(text.c_str(), "%d-%u-%u", &year, &month, &day) != 3)
    throw Json::other_error::create(501, "not a date: " + text, nullptr);
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day));
}

Volume parse_volume(const Json& json) {
  return {base::whole_number<std::uint64_t>(json.at(0)), base::whole_number<std::uint64_t>(json.at(1))};
}

DailyVolumes parse_daily(const Json& json) {
  DailyVolumes volumes;
  for (const auto& [name, days] : json.items())
    for (const auto& [day, volume] : days.items()) volumes[name][parse_day(day)] = parse_volume(volume);
  return volumes;
}

LogStatistics parse_document(const Json& json) {
  LogStatistics log;
  log.days = base::whole_number<std::uint64_t>(json.at("days"));
  if (log.days != 0) {
    log.first_day = parse_day(json.at("first_day").get<std::string>());
    log.last_day = parse_day(json.at("last_day").get<std::string>());
  }
  log.total = parse_volume(json.at("total"));
  log.by_key = parse_daily(json.at("by_key"));
  log.by_record_type = parse_daily(json.at("by_record_type"));
  log.by_executable = parse_daily(json.at("by_executable"));
  log.by_syscall = parse_daily(json.at("by_syscall"));
  for (const Json& entry : json.at("classes")) {
    auditd::EventClass event_class;
    event_class.key = entry.at("key").get<std::string>();
    event_class.arch = base::whole_number<std::uint32_t>(entry.at("arch"));
    event_class.syscall = base::whole_number<int>(entry.at("syscall"));
    event_class.executable = entry.at("executable").get<std::string>();
    log.classes[event_class] = parse_volume(entry.at("volume"));
  }
  log.classes_folded = base::whole_number<std::uint64_t>(json.at("classes_folded"));
  log.lines = base::whole_number<std::uint64_t>(json.at("lines"));
  log.malformed = base::whole_number<std::uint64_t>(json.at("malformed"));
  log.truncated = base::whole_number<std::uint64_t>(json.at("truncated"));
  log.interleaved = base::whole_number<std::uint64_t>(json.at("interleaved"));
  log.unfinished = base::whole_number<std::uint64_t>(json.at("unfinished"));
  log.files = json.at("files").get<std::vector<std::string>>();
  log.errors = json.at("errors").get<std::vector<std::string>>();
  return log;
}

}  // namespace

std::string format_log_statistics(const LogStatistics& log) {
  Json classes = Json::array();
  for (const auto& [event_class, volume] : log.classes)
    classes.push_back({{"key", event_class.key},
                       {"arch", event_class.arch},
                       {"syscall", event_class.syscall},
                       {"executable", event_class.executable},
                       {"volume", volume_json(volume)}});
  Json json = {{"days", log.days}};
  if (log.days != 0) {
    json["first_day"] = base::format_date(log.first_day);
    json["last_day"] = base::format_date(log.last_day);
  }
  json["total"] = volume_json(log.total);
  json["by_key"] = daily_json(log.by_key);
  json["by_record_type"] = daily_json(log.by_record_type);
  json["by_executable"] = daily_json(log.by_executable);
  json["by_syscall"] = daily_json(log.by_syscall);
  json["classes"] = std::move(classes);
  json["classes_folded"] = log.classes_folded;
  json["lines"] = log.lines;
  json["malformed"] = log.malformed;
  json["truncated"] = log.truncated;
  json["interleaved"] = log.interleaved;
  json["unfinished"] = log.unfinished;
  json["files"] = log.files;
  json["errors"] = log.errors;
  return base::dump_json(json, base::JsonStyle::compact);
}

base::Result<LogStatistics> parse_log_statistics(std::string_view text, std::string_view name) {
  AUDITSHIFT_TRY(json, base::parse_json(text, name));
  try {
    return parse_document(json);
  } catch (const Json::exception& error) {
    // "[json.exception.type_error.302] type must be …": the part in brackets is the library's own.
    std::string_view why = error.what();
    if (const std::size_t end = why.find("] "); end != std::string_view::npos) why.remove_prefix(end + 2);
    return base::Error(base::Errc::invalid,
                       std::string(name) + ": not the statistics of a log: " + std::string(why));
  }
}

}  // namespace auditshift::migrate
