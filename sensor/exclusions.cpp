// SPDX-License-Identifier: Apache-2.0
#include "sensor/exclusions.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "sensor/kind_profile.h"

namespace auditshift::sensor {
namespace {

/// Text of a member, when it is there and is text.
std::optional<std::string> text_member(const base::Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

/// Why a path cannot be excluded; empty when it can.
std::string path_problem(const std::string& path) {
  if (path.empty() || path[0] != '/') return "a global exclusion needs an absolute path";
  if (path.find_first_of("*?") != std::string::npos) return "a global exclusion knows no wildcards";
  return {};
}

/// Whether the name is that of its mount namespace, all of it: only such a one is compared.
bool is_comparable(const Path& path) {
  return path.text.starts_with('/') && !path.unresolved && !path.truncated && !path.unreadable &&
         !path.chroot_relative;
}

std::string clean(const std::string& path) {
  std::string out;
  for (const std::string_view part : base::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      out.resize(out.rfind('/') == std::string::npos ? 0 : out.rfind('/'));
      continue;
    }
    out += "/" + std::string(part);
  }
  return out.empty() ? "/" : out;
}

/// Nothing: the entry is for others (another scope, an extension). An error text goes to `problem`.
std::optional<Exclusion> parse_entry(const base::Json& entry, std::string& problem) {
  if (!entry.is_object()) {
    problem = "is no object";
    return std::nullopt;
  }
  if (const auto scopes = entry.find("scopes"); scopes != entry.end()) {
    if (!scopes->is_array()) {
      problem = "scopes is no array";
      return std::nullopt;
    }
    if (std::find(scopes->begin(), scopes->end(), base::Json("global")) == scopes->end()) return std::nullopt;
  }
  const std::string type = text_member(entry, "$type").value_or("");
  Exclusion exclusion{ExclusionKind::file, {}};
  if (type == "excludedPath") {
    const auto is_directory = entry.find("isDirectory");
    if (is_directory == entry.end() || !is_directory->is_boolean()) {
      problem = "isDirectory must be true or false";
      return std::nullopt;
    }
    exclusion.kind = is_directory->get<bool>() ? ExclusionKind::folder : ExclusionKind::file;
    exclusion.path = text_member(entry, "path").value_or("");
  } else if (type == "excludedFileName") {
    exclusion.kind = ExclusionKind::process;
    exclusion.path = text_member(entry, "name").value_or("");
  } else if (type == "excludedFileExtension") {
    problem = "a file extension cannot be excluded globally";
    return std::nullopt;
  } else {
    problem = "$type \"" + type + "\" is not known";
    return std::nullopt;
  }
  problem = path_problem(exclusion.path);
  if (!problem.empty()) {
    problem += ": \"" + exclusion.path + "\"";
    return std::nullopt;
  }
  exclusion.path = clean(exclusion.path);
  return exclusion;
}

void parse_features(const base::Json& root, ManagedSettings& settings) {
  const auto features = root.find("features");
  if (features == root.end() || !features->is_object()) return;
  for (const auto& [name, value] : features->items()) {
    if (value.is_string()) settings.features.emplace_back(name, value.get<std::string>());
  }
  const auto provider = features->find("ebpfSupplementaryEventProvider");
  if (provider == features->end()) return;
  if (*provider == "enabled") {
    settings.ebpf_provider = true;
  } else if (*provider == "disabled") {
    settings.ebpf_provider = false;
  } else {
    settings.problems.push_back("features.ebpfSupplementaryEventProvider: " + provider->dump() +
                                R"( is neither "enabled" nor "disabled")");
  }
}

}  // namespace

std::string_view exclusion_kind_name(ExclusionKind kind) {
  switch (kind) {
    case ExclusionKind::folder:
      return "folder";
    case ExclusionKind::file:
      return "file";
    case ExclusionKind::process:
      return "process";
  }
  return {};
}

Exclusions::Exclusions(std::vector<Exclusion> entries) : entries_(std::move(entries)) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Index& index = entries_[i].kind == ExclusionKind::process ? processes_
                   : entries_[i].kind == ExclusionKind::file  ? files_
                                                              : folders_;
    index.emplace(entries_[i].path, i);
  }
}

const Exclusion* Exclusions::find(const Index& index, std::string_view path) const {
  const auto found = index.find(path);
  return found == index.end() ? nullptr : &entries_[found->second];
}

const Exclusion* Exclusions::match_process(std::string_view executable) const {
  return processes_.empty() ? nullptr : find(processes_, executable);
}

const Exclusion* Exclusions::match_path(std::string_view path) const {
  if (!files_.empty()) {
    if (const Exclusion* file = find(files_, path)) return file;
  }
  if (folders_.empty()) return nullptr;
  // The folder itself, then each above it.
  for (std::string_view folder = path; !folder.empty(); folder = folder.substr(0, folder.rfind('/'))) {
    if (const Exclusion* found = find(folders_, folder)) return found;
  }
  return find(folders_, "/");
}

const Exclusion* Exclusions::match_name(const Path& path) const {
  return is_comparable(path) ? match_path(path.text) : nullptr;
}

const Exclusion* Exclusions::match(const Event& event) const {
  if (entries_.empty() || event.kind == EventKind::loss) return nullptr;
  const Path& executable = event.process.executable;
  const Exclusion* process = is_comparable(executable) ? match_process(executable.text) : nullptr;
  if (process != nullptr) return process;
  if (!kFileKinds.contains(event.kind)) return nullptr;
  const Exclusion* first = match_name(event.path);
  const bool two_names = event.kind == EventKind::rename || event.kind == EventKind::link;
  return first != nullptr && two_names && match_name(event.second_path) == nullptr ? nullptr : first;
}

base::Result<ManagedSettings> parse_managed(
    std::string_view text, std::string_view name,
    const std::function<std::optional<std::string>(const std::string&)>& resolve) {
  AUDITSHIFT_TRY(root, base::parse_json(text, name));
  if (!root.is_object()) return base::Error(base::Errc::invalid, std::string(name) + ": is no JSON object");
  ManagedSettings settings;
  parse_features(root, settings);
  const auto section = root.find("exclusionSettings");
  if (section == root.end()) return settings;
  const auto list = section->is_object() ? section->find("exclusions") : section->end();
  if (!section->is_object() || (list != section->end() && !list->is_array())) {
    settings.problems.emplace_back("exclusionSettings: has not the form {\"exclusions\": […]}");
    return settings;
  }
  if (list == section->end()) return settings;
  for (std::size_t i = 0; i < list->size(); ++i) {
    std::string problem;
    auto exclusion = parse_entry((*list)[i], problem);
    if (!problem.empty())
      settings.problems.push_back("exclusionSettings.exclusions[" + std::to_string(i) + "]: " + problem);
    if (!exclusion) continue;
    if (auto resolved = resolve(exclusion->path)) exclusion->path = *std::move(resolved);
    if (std::find(settings.exclusions.begin(), settings.exclusions.end(), *exclusion) ==
        settings.exclusions.end())
      settings.exclusions.push_back(*std::move(exclusion));
  }
  return settings;
}

}  // namespace auditshift::sensor
