// SPDX-License-Identifier: Apache-2.0
#include "sensor/exclusion_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "sensor/exclusions.h"

namespace auditshift::sensor {
namespace {

/// What bpf/exclusions.bpf.h does with a clean path.
std::uint32_t follow(const ExclusionTree& tree, std::string_view path) {
  std::uint32_t node = AS_NODE_ROOT;
  while (!path.empty()) {
    path.remove_prefix(1);
    std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    for (bool more = true; more && (node & AS_NODE_FOLDER) == 0;) {
      as_node_key key{};
      const std::string_view piece = name.substr(0, AS_NODE_NAME);
      key.parent = node & AS_NODE_NUMBER;
      std::memcpy(key.name, piece.data(), piece.size());
      const auto found = tree.nodes().find({reinterpret_cast<const char*>(&key), sizeof key});
      if (found == tree.nodes().end()) return AS_NODE_NOWHERE;
      node = found->second;
      more = piece.size() == AS_NODE_NAME;
      name.remove_prefix(piece.size());
    }
  }
  return node;
}

TEST(ExclusionTree, MarksWhatIsExcludedAndNotTheWayThere) {
  const std::vector<KernelExclusion> entries = {{"/srv/data", AS_NODE_FOLDER},
                                                {"/srv/data.log", AS_NODE_FILE},
                                                {"/usr/bin/tool", AS_NODE_PROCESS},
                                                {"/usr/bin/tool", AS_NODE_FILE}};
  const auto tree = ExclusionTree::make(entries);
  ASSERT_TRUE(tree.ok()) << tree.error().message();
  EXPECT_TRUE(tree->has_paths());
  EXPECT_EQ(tree->nodes().size(), 6U) << "srv, data, data.log, usr, bin, tool";
  const auto marks = [&](std::string_view path) { return follow(*tree, path) & ~AS_NODE_NUMBER; };
  EXPECT_EQ(marks("/srv"), 0U);
  EXPECT_EQ(marks("/srv/data"), AS_NODE_FOLDER);
  EXPECT_EQ(marks("/srv/data/below/it"), AS_NODE_FOLDER);
  EXPECT_EQ(marks("/srv/data.log"), AS_NODE_FILE);
  EXPECT_EQ(follow(*tree, "/srv/data.log/below"), AS_NODE_NOWHERE);
  EXPECT_EQ(follow(*tree, "/srv/dat"), AS_NODE_NOWHERE);
  EXPECT_EQ(marks("/usr/bin/tool"), AS_NODE_FILE | AS_NODE_PROCESS);
}

TEST(ExclusionTree, KeepsLongNamesApart) {
  constexpr std::size_t kPiece = AS_NODE_NAME;
  for (const std::size_t length : {kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, std::size_t{255}}) {
    const std::string path = "/" + std::string(length, 'x');
    const KernelExclusion entry{path, AS_NODE_FILE};
    const auto tree = ExclusionTree::make({&entry, 1});
    ASSERT_TRUE(tree.ok());
    EXPECT_EQ(follow(*tree, path) & AS_NODE_FILE, AS_NODE_FILE) << length;
    EXPECT_EQ(follow(*tree, path + "x"), AS_NODE_NOWHERE) << length;
    EXPECT_EQ(follow(*tree, path.substr(0, length)), AS_NODE_NOWHERE) << length;
  }
}

TEST(ExclusionTree, LeavesTheRootToTheUserSideAndRefusesWhatTheKernelWouldNeverSay) {
  const KernelExclusion root{"/", AS_NODE_FOLDER};
  const auto tree = ExclusionTree::make({&root, 1});
  ASSERT_TRUE(tree.ok());
  EXPECT_TRUE(tree->nodes().empty());
  EXPECT_FALSE(tree->has_paths());
  for (const std::string path : {"", "tool", "/usr/../bin/tool", "/usr//bin", "/usr/bin/", "/./x"}) {
    const KernelExclusion entry{path, AS_NODE_FILE};
    const auto refused = ExclusionTree::make({&entry, 1});
    ASSERT_FALSE(refused.ok()) << path;
    EXPECT_EQ(refused.error().code(), base::Errc::invalid) << path;
  }
}

/// The kernel side and the user side must mean the same by the same entries.
TEST(ExclusionTree, MeansTheSameAsExclusions) {
  std::mt19937 random(7);
  const auto number = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  const std::string long_name(AS_NODE_NAME, 'n');
  const std::vector<std::string> names = {"a", "b", "ab", long_name, long_name + "a"};
  const auto path = [&] {
    std::string text;
    for (unsigned depth = 1 + number(4); depth > 0; --depth) text += "/" + names[random() % names.size()];
    return text;
  };
  for (int round = 0; round < 500; ++round) {
    std::vector<Exclusion> entries;
    std::vector<KernelExclusion> for_kernel;
    for (unsigned count = number(6); count > 0; --count) {
      const bool folder = number(2) == 0;
      entries.push_back({folder ? ExclusionKind::folder : ExclusionKind::file, path()});
      for_kernel.push_back({entries.back().path, folder ? AS_NODE_FOLDER : AS_NODE_FILE});
    }
    const auto tree = ExclusionTree::make(for_kernel);
    ASSERT_TRUE(tree.ok());
    const Exclusions exclusions(entries);
    for (int question = 0; question < 20; ++question) {
      const std::string name = path();
      EXPECT_EQ((follow(*tree, name) & (AS_NODE_FILE | AS_NODE_FOLDER)) != 0,
                exclusions.match_path(name) != nullptr)
          << name;
    }
  }
}

}  // namespace
}  // namespace auditshift::sensor
