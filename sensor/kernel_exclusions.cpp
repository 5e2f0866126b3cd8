// SPDX-License-Identifier: Apache-2.0
// The part of KernelPrograms that says whose events are not wanted.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "sensor/kernel_programs.h"

namespace auditshift::sensor {
namespace {

/// A map of the form of as_excluded_tree (bpf/state.bpf.h), exactly as large as it has to be.
base::Result<base::Fd> make_map(const ExclusionTree& tree) {
  const auto entries = static_cast<std::uint32_t>(std::max<std::size_t>(tree.nodes().size(), 1));
  base::Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "as_exclusions", sizeof(as_node_key), sizeof(std::uint32_t),
                              entries, nullptr));
  if (!map) return base::Error::from_errno(errno, "cannot make room for the exclusions in the kernel");
  for (const auto& [key, value] : tree.nodes()) {
    if (bpf_map_update_elem(map.get(), key.data(), &value, BPF_ANY) != 0)
      return base::Error::from_errno(errno, "cannot put an exclusion into the kernel");
  }
  return map;
}

}  // namespace

base::Result<void> KernelPrograms::set_exclusions(std::span<const KernelExclusion> exclusions) {
  const std::uint32_t zero = 0;
  base::Result<void> done;
  bool has_paths = false;
  auto tree = ExclusionTree::make(exclusions);
  auto map = tree.ok() ? make_map(*tree) : base::Result<base::Fd>(tree.error());
  if (map.ok()) {
    const int fd = map->get();
    has_paths = tree->has_paths();
    if (bpf_map_update_elem(exclusions_.get(), &zero, &fd, BPF_ANY) != 0)
      done = base::Error::from_errno(errno, "cannot change the exclusions in the kernel");
  } else {
    done = map.error();
  }
  // What was excluded before need not be any more: rather too much is seen than too little.
  if (!done.ok()) bpf_map_delete_elem(exclusions_.get(), &zero);
  as_state state = this->state();
  if (++state.exclusions == 0) ++state.exclusions;  // 0 says that there never were any
  state.excluded_paths = done.ok() && has_paths ? 1 : 0;
  set_state(state);
  return done;
}

}  // namespace auditshift::sensor
