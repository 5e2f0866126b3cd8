// SPDX-License-Identifier: Apache-2.0
#include "base/ownership.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/sysroot.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::base {
namespace {

using tests::TemporaryTree;

constexpr uid_t kStranger = 65534;

TEST(Ownership, WhoMayWrite) {
  if (::geteuid() != 0) GTEST_SKIP() << "for root";
  EXPECT_FALSE(strangers_may_write(0, 0, 0600));
  EXPECT_FALSE(strangers_may_write(0, 0, 0664)) << "group 0 is root's";
  EXPECT_FALSE(strangers_may_write(0, 4, 0644));
  EXPECT_TRUE(strangers_may_write(0, 4, 0664)) << "group adm is not";
  EXPECT_TRUE(strangers_may_write(0, 0, 0602));
  EXPECT_TRUE(strangers_may_write(kStranger, 0, 0600)) << "an owner can give the mode back to himself";
}

TEST(Ownership, DirectoriesWhereOthersMayReplaceFilesAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "for root";
  const TemporaryTree tree;
  tree.directory("/place");
  const std::string place = tree.real("/place");
  EXPECT_TRUE(open_own_directory(place).ok());
  ASSERT_EQ(::chmod(place.c_str(), 0777), 0);
  EXPECT_EQ(open_own_directory(place).error().code(), Errc::permission);
  ASSERT_EQ(::chmod(place.c_str(), 01777), 0);
  EXPECT_TRUE(open_own_directory(place).ok()) << "as /tmp";
  ASSERT_EQ(::chown(place.c_str(), kStranger, 0), 0);
  EXPECT_EQ(open_own_directory(place).error().code(), Errc::permission)
      << "its owner may replace all the same";
  EXPECT_EQ(open_own_directory(tree.real("/none")).error().code(), Errc::not_found);
}

TEST(Ownership, FilesOfOthersAndHardLinksAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "for root";
  const TemporaryTree tree;
  tree.file("/file", "x");
  const std::string file = tree.real("/file");
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(require_own_file(fd.get(), file).ok());
  ASSERT_EQ(::link(file.c_str(), tree.real("/other").c_str()), 0);
  EXPECT_EQ(require_own_file(fd.get(), file).error().code(), Errc::permission);
  ASSERT_EQ(::unlink(tree.real("/other").c_str()), 0);
  ASSERT_EQ(::chown(file.c_str(), kStranger, 0), 0);
  EXPECT_EQ(require_own_file(fd.get(), file).error().code(), Errc::permission);
}

TEST(Ownership, ResultsAreNewFilesAndFollowNoLinkOfOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "for root";
  const TemporaryTree tree;
  tree.directory("/place");
  tree.file("/victim", "untouched");
  const std::string result = tree.real("/place/result");
  struct stat info {};

  ASSERT_EQ(::chmod(tree.real("/place").c_str(), 01777), 0);
  tree.file("/place/result", "a stranger's, readable by all");
  ASSERT_EQ(::chown(result.c_str(), kStranger, kStranger), 0);
  ASSERT_EQ(::chmod(result.c_str(), 0666), 0);
  ASSERT_TRUE(write_file_atomic(result, "secret", {.mode = 0600}).ok());
  ASSERT_EQ(::stat(result.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(::chmod(tree.real("/place").c_str(), 0755), 0);

  ASSERT_EQ(::unlink(result.c_str()), 0);
  ASSERT_EQ(::symlink(tree.real("/victim").c_str(), result.c_str()), 0);
  ASSERT_TRUE(write_file_atomic(result, "untouched").ok()) << "root's own link, where only root makes links";
  EXPECT_TRUE(std::filesystem::is_symlink(result));
  ASSERT_EQ(::lchown(result.c_str(), kStranger, kStranger), 0);
  EXPECT_EQ(write_file_atomic(result, "secret").error().code(), Errc::permission);
  ASSERT_EQ(::lchown(result.c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod(tree.real("/place").c_str(), 01777), 0);
  EXPECT_EQ(write_file_atomic(result, "secret").error().code(), Errc::permission);
  EXPECT_EQ(tree.read("/victim"), "untouched");
}

}  // namespace
}  // namespace auditshift::base
