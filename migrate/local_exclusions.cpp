// SPDX-License-Identifier: Apache-2.0
#include "migrate/local_exclusions.h"

#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace auditshift::migrate {
namespace {

using Kind = ManagedExclusion::Kind;

std::optional<Kind> kind_of(std::string_view line) {
  const std::string lower = base::to_lower(line);
  if (!lower.starts_with("excluded ")) return std::nullopt;
  if (lower.ends_with("process")) return Kind::process_name;
  if (lower.ends_with("folder") || lower.ends_with("directory")) return Kind::folder;
  if (lower.ends_with("file")) return Kind::file;
  if (lower.ends_with("extension")) return Kind::extension;
  return std::nullopt;
}

std::string without_quotes(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::vector<std::string> scopes_of(std::string_view text) {
  std::vector<std::string> scopes;
  for (const char* scope : {"epp", "global"})
    if (text.find(scope) != std::string_view::npos) scopes.emplace_back(scope);
  return scopes;
}

void finish(std::optional<ManagedExclusion>& open, std::vector<ManagedExclusion>& found) {
  if (open && !open->value.empty()) {
    if (open->kind == Kind::process_name && open->value.starts_with("/")) open->kind = Kind::process_path;
    if (open->scopes.empty()) open->scopes = {"epp"};  // the command line's default
    found.push_back(std::move(*open));
  }
  open.reset();
}

}  // namespace

std::vector<ManagedExclusion> parse_exclusion_list(std::string_view text) {
  std::vector<ManagedExclusion> found;
  std::optional<ManagedExclusion> open;
  for (const std::string_view raw : base::split(text, '\n')) {
    const std::string_view line = base::trim(raw);
    if (line.starts_with("---") || line.starts_with("===")) {
      finish(open, found);
    } else if (const auto kind = kind_of(line)) {
      finish(open, found);
      open = ManagedExclusion{*kind, {}, {}, "local"};
    } else if (const std::size_t colon = line.find(':'); open && colon != std::string_view::npos) {
      const std::string_view value = base::trim(line.substr(colon + 1));
      if (base::to_lower(line).starts_with("scope"))
        open->scopes = scopes_of(value);
      else
        open->value = without_quotes(value);
    }
  }
  finish(open, found);
  return found;
}

}  // namespace auditshift::migrate
