// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/hash.h"
#include "migrate/change/backup.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

using tests::TemporaryTree;

TEST(FileState, OfAFileALinkAndNothing) {
  const TemporaryTree tree;
  tree.file("/etc/rules", "-D\n");
  ASSERT_EQ(::chmod(tree.real("/etc/rules").c_str(), 0640), 0);
  tree.link("/etc/link", "rules");
  const auto host = tree.open();
  const auto file = read_file_state(host, "/etc/rules");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->exists);
  EXPECT_EQ(file->mode, 0640U);
  EXPECT_EQ(file->sha256, base::sha256("-D\n"));
  const auto link = read_file_state(host, "/etc/link");
  ASSERT_TRUE(link.ok());
  EXPECT_EQ(link->link, "rules");
  EXPECT_TRUE(link->sha256.empty());
  EXPECT_FALSE(read_file_state(host, "/etc/none")->exists);
  EXPECT_FALSE(read_file_state(host, "/none/none")->exists);
  EXPECT_FALSE(read_file_state(host, "/etc").ok());
}

TEST(FileState, ComesBackFromJson) {
  FileState state{.exists = true,
                  .mode = 0640,
                  .uid = 4294967294U,
                  .gid = 7,
                  .attributes = {{"user.bytes", std::string("\0\xff", 2)}, {"security.selinux", "etc_t"}},
                  .sha256 = base::sha256("x"),
                  .link = {}};
  auto parsed = base::parse_json(to_json(state).dump(), "state");
  ASSERT_TRUE(parsed.ok());
  ASSERT_TRUE(file_state_from_json(*parsed).ok()) << file_state_from_json(*parsed).error().message();
  EXPECT_EQ(*file_state_from_json(*parsed), state);
  const FileState link{.exists = true, .mode = 0777, .attributes = {}, .sha256 = {}, .link = "\xff/x"};
  EXPECT_EQ(*file_state_from_json(to_json(link)), link);
  EXPECT_EQ(*file_state_from_json(to_json(FileState{})), FileState{});
}

TEST(FileState, HalfAStateIsRefused) {
  for (const char* text :
       {"{}", "[]", R"({"exists":1})", R"({"exists":true})", R"({"exists":true,"mode":420,"uid":0,"gid":0})",
        R"({"exists":true,"mode":420,"uid":-1,"gid":0,"sha256":"ab"})",
        R"({"exists":true,"mode":420,"uid":0,"gid":0,"sha256":"ab","attributes":{"!":"!"}})"}) {
    EXPECT_FALSE(file_state_from_json(*base::parse_json(text, "state")).ok()) << text;
  }
}

}  // namespace
}  // namespace auditshift::migrate::change
