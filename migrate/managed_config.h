// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auditshift::migrate {

/// One exclusion of a managed configuration.
struct ManagedExclusion {
  enum class Kind { folder, file, process_path, process_name, extension };
  Kind kind{};
  std::string value;
  std::vector<std::string> scopes;  ///< "epp", "global"; the default filled in where the file has none
  std::string section;              ///< "exclusionSettings" or "antivirusEngine"

  bool global() const;
};
std::string_view to_string(ManagedExclusion::Kind kind);

/// What a managed JSON says, as far as the assessment asks. Never an exception: a broken file is a file with
/// an `error`, oddities that the agent tolerates are `problems`.
struct ManagedConfig {
  std::string path;
  bool exists = false;
  std::string error;                         ///< why it could not be read or is not valid JSON
  std::vector<std::string> problems;         ///< duplicate keys, unknown values, a byte order mark
  std::optional<std::string> ebpf_provider;  ///< features.ebpfSupplementaryEventProvider
  std::optional<std::string> merge_policy;   ///< exclusionSettings.mergePolicy
  std::vector<ManagedExclusion> exclusions;

  /// Holds an exclusion of this kind and value with scope global.
  bool has_global(const ManagedExclusion& wanted) const;
};

/// Parses the text of a managed JSON; `path` is its name in messages.
ManagedConfig parse_managed_config(std::string_view text, std::string_view path);

}  // namespace auditshift::migrate
