// SPDX-License-Identifier: Apache-2.0
#include "sensor/line_filter.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sensor/kind_profile.h"

namespace auditshift::sensor {
namespace {

using base::Json;

const std::vector<std::string_view> kKeys = {"kind", "pid", "ppid", "uid", "executable", "path"};

base::Error refused(std::string_view what, const std::string& hint) {
  return base::Error(base::Errc::invalid, std::string(what)).with_hint(hint);
}

std::string kind_path(Format format) {
  switch (format) {
    case Format::ecs:
      return "/event/action";
    case Format::ocsf:
      return "/activity_name";
    case Format::raw:
      break;
  }
  return "/kind";
}

/// Where OCSF has the process that acted: the actor, or the subject of an event about itself.
std::string ocsf_process(const Json& event, std::string_view kind) {
  const bool about_another = kind == "fork" || kind == "ptrace" || kind == "process_write";
  return !about_another && event.contains("process") ? "/process" : "/actor/process";
}

/// JSON pointers to the values of `key`.
std::vector<std::string> places(Format format, const Json& event, std::string_view kind,
                                std::string_view key) {
  if (key == "kind") return {kind_path(format)};
  if (key == "path") {
    const auto known = kind_from_name(kind);
    if (!known || !kFileKinds.contains(*known)) return {};
    if (format == Format::raw) return {"/path/text", "/second_path/text"};
    if (format == Format::ocsf) return {"/file/path", "/file_result/path"};
    // The target of a symbolic link is a text, not a name that was used.
    if (*known == EventKind::symlink) return {"/file/path"};
    return {"/file/path", "/file/target_path", "/auditshift/original_path"};
  }
  std::string process = "/process";
  if (format == Format::ocsf) {
    if (key == "uid") return {"/unmapped/uid"};
    process = ocsf_process(event, kind);
    return {process + (key == "pid" ? "/pid" : key == "ppid" ? "/parent_process/pid" : "/file/path")};
  }
  const bool raw = format == Format::raw;
  if (key == "uid") return {raw ? "/process/uid" : "/user/id"};
  if (key == "ppid") return {process + (raw ? "/ppid" : "/parent/pid")};
  if (key == "executable") return {process + (raw ? "/exe" : "/executable")};
  return {process + "/pid"};
}

/// Text or number as text; nothing where there is no such value.
std::optional<std::string> value_at(const Json& event, const std::string& place) {
  const Json::json_pointer at(place);
  if (!event.contains(at)) return std::nullopt;
  const Json& value = event[at];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_at_or_below(std::string_view path, std::string_view top) {
  while (top.ends_with('/')) top.remove_suffix(1);
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

base::Result<void> check_value(std::string_view key, std::string_view value) {
  const std::string shown = base::printable(value);
  if (key == "kind" && !kind_from_name(value)) {
    std::vector<std::string_view> names;
    for (const EventKind kind : all_kinds()) names.push_back(kind_name(kind));
    const auto meant = base::nearest(value, names);
    return refused("no such kind of event: " + shown,
                   meant ? "did you mean " + *meant + "?" : "auditshift health lists the kinds");
  }
  const bool number = key == "pid" || key == "ppid" || key == "uid";
  if (number && !base::parse_decimal(value))
    return refused(std::string(key) + " is a number, not '" + shown + "'", "");
  if (!number && key != "kind" && !value.starts_with('/'))
    return refused(std::string(key) + " is a full path, not '" + shown + "'", "");
  return {};
}

}  // namespace

base::Result<LineFilter> LineFilter::parse(Format format, const std::vector<std::string>& conditions) {
  LineFilter filter(format);
  for (const std::string& condition : conditions) {
    const std::size_t equals = condition.find('=');
    if (equals == std::string::npos)
      return refused("a filter is KEY=VALUE, not '" + base::printable(condition) + "'", "");
    const std::string key = condition.substr(0, equals);
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      const auto meant = base::nearest(key, kKeys);
      return refused(
          "no such filter: " + base::printable(key),
          meant ? "did you mean " + *meant + "?" : "filters are kind, pid, ppid, uid, executable, path");
    }
    const std::string value = condition.substr(equals + 1);
    AUDITSHIFT_TRY_VOID(check_value(key, value));
    filter.wanted_[key].push_back(value);
  }
  return filter;
}

bool LineFilter::holds(const Json& event, std::string_view kind, std::string_view key,
                       const std::vector<std::string>& values) const {
  for (const std::string& place : places(format_, event, kind, key)) {
    const auto found = value_at(event, place);
    if (!found) continue;
    const bool holds = std::any_of(values.begin(), values.end(), [&](const std::string& value) {
      return key == "path" ? is_at_or_below(*found, value) : *found == value;
    });
    if (holds) return true;
  }
  return false;
}

bool LineFilter::passes(std::string_view line) const {
  if (wanted_.empty()) return true;
  const Json event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return false;
  const std::string kind = value_at(event, kind_path(format_)).value_or("");
  if (kind == kind_name(EventKind::loss)) return true;
  return std::all_of(wanted_.begin(), wanted_.end(), [&](const auto& condition) {
    return holds(event, kind, condition.first, condition.second);
  });
}

}  // namespace auditshift::sensor
