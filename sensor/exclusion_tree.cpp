// SPDX-License-Identifier: Apache-2.0
#include "sensor/exclusion_tree.h"

#include <cstring>

#include "base/text.h"
#include "sensor/path.h"

namespace auditshift::sensor {
namespace {

/// At some 130 bytes of kernel memory each.
constexpr std::size_t kMostNodes = std::size_t{8} << 20;

base::Result<void> check(std::string_view path) {
  PathBuilder builder;
  builder.start_at_root();
  builder.add(path);
  if (path.starts_with('/') && builder.text() == path) return {};
  return base::Error(base::Errc::invalid,
                     "cannot be excluded, not an absolute path: " + base::printable(path));
}

std::string key_of(std::uint32_t parent, std::string_view piece) {
  as_node_key key{};
  key.parent = parent & AS_NODE_NUMBER;
  std::memcpy(key.name, piece.data(), piece.size());
  return {reinterpret_cast<const char*>(&key), sizeof key};
}

}  // namespace

std::uint32_t& ExclusionTree::descend(std::uint32_t parent, std::string_view name) {
  for (;;) {
    const std::string_view piece = name.substr(0, AS_NODE_NAME);
    const auto [node, is_new] = nodes_.try_emplace(key_of(parent, piece), last_ + 1);
    if (is_new) ++last_;
    if (piece.size() < AS_NODE_NAME) return node->second;
    parent = node->second;
    name.remove_prefix(piece.size());
  }
}

base::Result<ExclusionTree> ExclusionTree::make(std::span<const KernelExclusion> exclusions) {
  ExclusionTree tree;
  for (const KernelExclusion& exclusion : exclusions) {
    AUDITSHIFT_TRY_VOID(check(exclusion.path));
    if (exclusion.path == "/") continue;
    std::uint32_t* node = nullptr;
    for (std::string_view rest = exclusion.path; !rest.empty();) {
      rest.remove_prefix(1);
      const std::string_view name = rest.substr(0, rest.find('/'));
      node = &tree.descend(node == nullptr ? AS_NODE_ROOT : *node, name);
      rest.remove_prefix(name.size());
    }
    *node |= exclusion.marks;
    tree.has_paths_ = tree.has_paths_ || (exclusion.marks & (AS_NODE_FILE | AS_NODE_FOLDER)) != 0;
    if (tree.nodes_.size() > kMostNodes)
      return base::Error(base::Errc::too_large, "the paths of the exclusions have more than " +
                                                    std::to_string(kMostNodes) + " names");
  }
  return tree;
}

}  // namespace auditshift::sensor
