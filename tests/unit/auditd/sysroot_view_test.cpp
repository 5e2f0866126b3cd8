// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "auditd/layout.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::auditd {
namespace {

using tests::TemporaryTree;

TEST(SysrootView, AnswersWithTheHostsOwnUsersAndGroups) {
  const TemporaryTree tree;
  tree.file("/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\n# comment:x:1\n\nbroken\nbig:x:4294967296:1\n"
            "alice:x:70000:70001:Alice:/home/alice:/bin/sh\nalice:x:1:1::/:\nlast:x:4294967295:1:::");
  tree.file("/etc/group", "root:x:0:\nwheel:x:10:alice\n:x:3:\nnegative:x:-1:\n");
  const base::Sysroot host = tree.open();
  const SysrootView view(host);
  EXPECT_EQ(view.uid_of("root"), 0U);
  EXPECT_EQ(view.uid_of("alice"), 70000U);  // the first line counts
  EXPECT_EQ(view.uid_of("last"), 4294967295U);
  EXPECT_EQ(view.uid_of("big"), std::nullopt);
  EXPECT_EQ(view.uid_of("broken"), std::nullopt);
  EXPECT_EQ(view.uid_of(""), std::nullopt);
  EXPECT_EQ(view.gid_of("wheel"), 10U);
  EXPECT_EQ(view.gid_of("negative"), std::nullopt);
  EXPECT_EQ(view.gid_of("alice"), std::nullopt);
}

TEST(SysrootView, KnowsNobodyWhereTheFilesAreMissingOrNoFiles) {
  const TemporaryTree tree;
  tree.directory("/etc");
  ASSERT_EQ(::mkfifo(tree.real("/etc/passwd").c_str(), 0600), 0);
  tree.link("/etc/group", "group");
  const base::Sysroot host = tree.open();
  const SysrootView view(host);
  EXPECT_EQ(view.uid_of("root"), std::nullopt);
  EXPECT_EQ(view.gid_of("root"), std::nullopt);
}

TEST(SysrootView, TellsWhatAPathIsInsideTheTree) {
  const TemporaryTree tree;
  tree.file("/etc/shadow", "");
  tree.directory("/opt/app");
  tree.link("/opt/link", "/etc");
  tree.link("/opt/dangling", "/nowhere/at/all");
  tree.link("/opt/loop", "loop");
  const base::Sysroot host = tree.open();
  const SysrootView view(host);
  EXPECT_EQ(view.kind_of("/etc/shadow"), PathKind::other);
  EXPECT_EQ(view.kind_of("/opt/app"), PathKind::directory);
  EXPECT_EQ(view.kind_of("/opt/app/"), PathKind::directory);
  EXPECT_EQ(view.kind_of("/"), PathKind::directory);
  EXPECT_EQ(view.kind_of("/opt/link"), PathKind::directory);
  EXPECT_EQ(view.kind_of("/opt/dangling"), PathKind::missing);
  EXPECT_EQ(view.kind_of("/etc/none"), PathKind::missing);
  EXPECT_EQ(view.kind_of("/none"), PathKind::missing);
  EXPECT_EQ(view.kind_of("/none/none"), PathKind::missing_parent);
  EXPECT_EQ(view.kind_of("/etc/shadow/none"), PathKind::missing_parent);
  EXPECT_EQ(view.kind_of("/opt/loop"), PathKind::unknown);
  EXPECT_EQ(view.kind_of("relative"), PathKind::unknown);
}

}  // namespace
}  // namespace auditshift::auditd
