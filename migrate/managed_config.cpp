// SPDX-License-Identifier: Apache-2.0
#include "migrate/managed_config.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace auditshift::migrate {
namespace {

using base::Json;

/// Parses and notes keys that stand twice in one object: JSON keeps one of them, a person meant both.
Json parse_noting_duplicates(std::string_view text, std::vector<std::string>& problems) {
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end && !open_objects.empty()) open_objects.pop_back();
    if (event == Json::parse_event_t::key && !open_objects.empty() &&
        !open_objects.back().insert(parsed.get<std::string>()).second)
      problems.push_back("the key \"" + parsed.get<std::string>() +
                         "\" stands twice in one object; the last one counts");
    return true;
  };
  return Json::parse(text, watch);
}

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string text_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

void read_exclusion(const Json& entry, const std::string& section, ManagedConfig& config) {
  const std::string type = text_of(entry, "$type");
  ManagedExclusion exclusion;
  exclusion.section = section;
  if (type == "excludedPath") {
    const Json* directory = member(entry, "isDirectory");
    const bool is_directory = directory != nullptr && directory->is_boolean() && directory->get<bool>();
    exclusion.kind = is_directory ? ManagedExclusion::Kind::folder : ManagedExclusion::Kind::file;
    exclusion.value = text_of(entry, "path");
  } else if (type == "excludedFileName") {
    exclusion.value = text_of(entry, "name");
    exclusion.kind = exclusion.value.starts_with("/") ? ManagedExclusion::Kind::process_path
                                                      : ManagedExclusion::Kind::process_name;
  } else if (type == "excludedFileExtension") {
    exclusion.kind = ManagedExclusion::Kind::extension;
    exclusion.value = text_of(entry, "extension");
  } else {
    config.problems.push_back(section + " holds an exclusion of unknown $type \"" + type + "\"");
    return;
  }
  if (const Json* scopes = member(entry, "scopes"); scopes != nullptr && scopes->is_array()) {
    for (const Json& scope : *scopes)
      if (scope.is_string()) exclusion.scopes.push_back(scope.get<std::string>());
  }
  // Under antivirusEngine an exclusion is antivirus-only whatever it says; elsewhere global is the default.
  if (section == "antivirusEngine") exclusion.scopes = {"epp"};
  if (exclusion.scopes.empty()) exclusion.scopes = {"global"};
  config.exclusions.push_back(std::move(exclusion));
}

void read_exclusions(const Json& document, const char* section, ManagedConfig& config) {
  const Json* settings = member(document, section);
  if (settings == nullptr) return;
  const Json* list = member(*settings, "exclusions");
  if (list == nullptr) return;
  if (!list->is_array()) {
    config.problems.push_back(std::string(section) + ".exclusions is not an array");
    return;
  }
  for (const Json& entry : *list) read_exclusion(entry, section, config);
}

void read_features(const Json& document, ManagedConfig& config) {
  const Json* features = member(document, "features");
  if (features == nullptr) return;
  const Json* provider = member(*features, "ebpfSupplementaryEventProvider");
  if (provider == nullptr) return;
  const std::string value = provider->is_string() ? provider->get<std::string>() : provider->dump();
  config.ebpf_provider = value;
  if (value != "enabled" && value != "disabled")
    config.problems.push_back("features.ebpfSupplementaryEventProvider is \"" + value +
                              "\"; only \"enabled\" and \"disabled\" have a meaning");
}

}  // namespace

bool ManagedExclusion::global() const {
  return std::find(scopes.begin(), scopes.end(), "global") != scopes.end();
}

bool ManagedConfig::has_global(const ManagedExclusion& wanted) const {
  return std::any_of(exclusions.begin(), exclusions.end(), [&](const ManagedExclusion& known) {
    return known.kind == wanted.kind && known.value == wanted.value && known.global();
  });
}

std::string_view to_string(ManagedExclusion::Kind kind) {
  switch (kind) {
    case ManagedExclusion::Kind::folder:
      return "folder";
    case ManagedExclusion::Kind::file:
      return "file";
    case ManagedExclusion::Kind::process_path:
    case ManagedExclusion::Kind::process_name:
      return "process";
    case ManagedExclusion::Kind::extension:
      return "extension";
  }
  return "unknown";
}

ManagedConfig parse_managed_config(std::string_view text, std::string_view path) {
  ManagedConfig config;
  config.path = path;
  config.exists = true;
  if (text.starts_with("\xef\xbb\xbf")) {
    config.problems.emplace_back("the file begins with a byte order mark");
    text.remove_prefix(3);
  }
  if (const auto strict = base::parse_json(text, path); !strict) {
    config.error = strict.error().message();
    return config;
  }
  const Json document = parse_noting_duplicates(text, config.problems);
  if (!document.is_object()) {
    config.error = std::string(path) + ": the outermost value is not an object";
    return config;
  }
  read_features(document, config);
  if (const Json* settings = member(document, "exclusionSettings")) {
    if (const std::string policy = text_of(*settings, "mergePolicy"); !policy.empty()) {
      config.merge_policy = policy;
      if (policy != "merge" && policy != "admin_only")
        config.problems.push_back("exclusionSettings.mergePolicy is \"" + policy +
                                  "\"; only \"merge\" and \"admin_only\" have a meaning");
    }
  }
  read_exclusions(document, "exclusionSettings", config);
  read_exclusions(document, "antivirusEngine", config);
  return config;
}

}  // namespace auditshift::migrate
