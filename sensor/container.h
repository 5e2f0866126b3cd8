// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/fd.h"

namespace auditshift::sensor {

/// The container id in the path of a control group: the last run of exactly 64 hexadecimal digits, as Docker,
/// containerd, CRI-O and Podman put it there ("docker-<id>.scope", "/kubepods/…/<id>", "libpod-<id>.scope").
/// Empty when there is none. Points into `path`.
std::string_view container_id_of(std::string_view cgroup_path);

/// Finds a control group's container by its id, and remembers. Not for several threads.
class ContainerTable {
 public:
  /// Asks the cgroup v2 tree of this host; without one, no container is known.
  ContainerTable();

  /// The container's id, empty when there is none or it cannot be told. Valid until the next call.
  std::string_view find(std::uint64_t cgroup_id);

 private:
  std::string look_up(std::uint64_t cgroup_id) const;

  base::Fd root_;  ///< of the cgroup v2 tree
  std::unordered_map<std::uint64_t, std::string> known_;
};

}  // namespace auditshift::sensor
