// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bpf/record.h"

namespace auditshift::sensor {

/// A path whose events the kernel side leaves out.
struct KernelExclusion {
  std::string path;     ///< absolute and clean, as the kernel resolves it
  std::uint32_t marks;  ///< AS_NODE_FILE, AS_NODE_FOLDER, AS_NODE_PROCESS, AS_NODE_CHILDREN
};

/// The exclusions in the form in which the kernel side looks them up, see struct as_node_key.
class ExclusionTree {
 public:
  /// What is on the way to an entry and bears no mark; as the kernel side counts, bytes of as_node_key.
  using Nodes = std::map<std::string, std::uint32_t>;

  /// "/" is passed over: it has no name to look up, and is left to the user side. Errors: a path that is not
  /// absolute and clean, and so many names that they would take up a gigabyte.
  static base::Result<ExclusionTree> make(std::span<const KernelExclusion> exclusions);

  const Nodes& nodes() const { return nodes_; }
  /// Some of them are files or folders.
  bool has_paths() const { return has_paths_; }

 private:
  /// The node behind a name, made when it is not there.
  std::uint32_t& descend(std::uint32_t parent, std::string_view name);

  Nodes nodes_;
  std::uint32_t last_ = AS_NODE_ROOT;
  bool has_paths_ = false;
};

}  // namespace auditshift::sensor
