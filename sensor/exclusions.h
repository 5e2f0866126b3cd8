// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sensor/event.h"
#include "sensor/exclusion.h"
#include "sensor/pipeline.h"

namespace auditshift::sensor {

/// What must not be reported.
///
/// - process: every event whose process runs that executable, compared with the path the kernel resolved.
///   What it starts is not excluded, once it runs another program.
/// - file, folder: file events on that file, or on the folder and all below it, by name. An event with two
///   names (rename, link) is kept back only when both are excluded, so that nothing can be moved out of sight
///   unseen.
///
/// A name that is not fully known (relative, cut off, unreadable), or that is one below the root of
/// chroot(2), is never taken for an excluded one. Names are compared as they are in the mount namespace of
/// the process: an entry is about the same path in each of them, in containers too.
///
/// There is one meaning, and two places that obey it: the ebpf provider's kernel side leaves out what is
/// surely excluded (bpf/exclusions.bpf.h), and what comes up, from whatever provider, is asked of this class.
class Exclusions final : public EventFilter {
 public:
  Exclusions() = default;
  explicit Exclusions(std::vector<Exclusion> entries);

  bool excluded(const Event& event) const override { return match(event) != nullptr; }
  /// The entry that keeps the event back, or null.
  const Exclusion* match(const Event& event) const;
  /// The process entry for an executable, or null.
  const Exclusion* match_process(std::string_view executable) const;
  /// The file or folder entry for a name, or null.
  const Exclusion* match_path(std::string_view path) const;

  const std::vector<Exclusion>& entries() const { return entries_; }
  bool empty() const override { return entries_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Index = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  const Exclusion* find(const Index& index, std::string_view path) const;
  const Exclusion* match_name(const Path& path) const;

  std::vector<Exclusion> entries_;
  Index processes_;
  Index files_;
  Index folders_;
};

/// What the sensor takes from a managed configuration file.
struct ManagedSettings {
  std::vector<Exclusion> exclusions;  ///< those of scope global, in the order of the file, none twice
  /// features.ebpfSupplementaryEventProvider; nothing when the file does not say.
  std::optional<bool> ebpf_provider;
  /// All of `features` whose value is text, as they are.
  std::vector<std::pair<std::string, std::string>> features;
  /// What the file says that cannot be obeyed, each with its place: "exclusionSettings.exclusions[2]: …".
  std::vector<std::string> problems;
};

/// Reads a file with the schema of Defender's managed JSON: exclusionSettings.exclusions[] with $type
/// excludedPath (isDirectory, path) and excludedFileName (name), scopes with or without "global" (without
/// scopes: global), and features.ebpfSupplementaryEventProvider. Everything else is passed over: it belongs
/// to others. Only text that is no JSON object is an error.
///
/// `resolve` follows the symbolic links of a path, since the kernel names files without them; it gives
/// nothing for what does not exist, and then the path stands as it was written.
base::Result<ManagedSettings> parse_managed(
    std::string_view text, std::string_view name,
    const std::function<std::optional<std::string>(const std::string&)>& resolve);

}  // namespace auditshift::sensor
