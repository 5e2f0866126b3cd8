// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::migrate {

/// What a path of an exclusion is on its host. What is not known is absent, never guessed.
struct PathFacts {
  std::optional<std::string> resolved{};      ///< where it leads, links followed; absent: nothing is there
  bool is_link = false;                       ///< its last name is a symbolic link
  bool is_directory = false;                  ///< what it leads to
  std::optional<bool> script{};               ///< it begins with "#!"
  std::optional<std::uint64_t> hard_links{};  ///< names of the file
  /// Who but root can change or replace it, in words; empty: nobody.
  std::optional<std::string> writable_by{};
  std::optional<bool> mounts_below{};  ///< of a directory: other file systems are mounted somewhere below
  std::optional<bool> links_out{};     ///< of a directory: a symbolic link below leads out of it

  bool operator==(const PathFacts&) const = default;
};

/// By path as it is written in rules.
using PathFactsMap = std::map<std::string, PathFacts, std::less<>>;

/// The mount points of the host, or nothing when that cannot be told.
std::optional<std::vector<std::string>> mount_points(const base::Sysroot& host);

/// Looks at one path of a host whose files are its own: owners, modes and links count.
PathFacts look_at_path(const base::Sysroot& host, const std::string& path,
                       const std::optional<std::vector<std::string>>& mounts);

/// The same for a captured tree, which keeps neither owners nor contents: only where the path leads.
PathFacts look_at_captured_path(const base::Sysroot& host, const std::string& path);

/// path-facts.json of a capture: what the captured tree itself cannot tell.
std::string format_path_facts(const PathFactsMap& facts);
/// Fills what the document tells about paths that are in `facts`.
base::Result<void> add_path_facts(std::string_view text, std::string_view name, PathFactsMap& facts);

/// True when the two paths surely are different files: both known, each with one name only.
bool surely_different(const PathFactsMap& facts, const std::string& a, const std::string& b);

/// True for `directory` itself and all below it.
bool is_below(std::string_view path, std::string_view directory);

}  // namespace auditshift::migrate
