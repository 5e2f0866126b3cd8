// SPDX-License-Identifier: Apache-2.0
#include "base/atomic_write.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/temporary_tree.h"

namespace auditshift::base {
namespace {

using tests::TemporaryTree;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

struct stat stat_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

TEST(AtomicWrite, CreatesWithTheModeGiven) {
  const TemporaryTree tree;
  const mode_t before = ::umask(077);  // the umask has no say
  EXPECT_TRUE(tree.open().write_atomic("/new", "content", {.mode = 0644}).ok());
  EXPECT_TRUE(tree.open().write_atomic("/private", "", {.mode = 0600}).ok());
  ::umask(before);
  EXPECT_EQ(tree.read("/new"), "content");
  EXPECT_EQ(stat_of(tree.real("/new")).st_mode & 07777, 0644U);
  EXPECT_EQ(stat_of(tree.real("/private")).st_mode & 07777, 0600U);
  EXPECT_EQ(names_in(tree.root()), (std::vector<std::string>{"new", "private"}));
}

TEST(AtomicWrite, KeepsModeAndExtendedAttributesOfTheOldFile) {
  const TemporaryTree tree;
  tree.file("/rules", "old");
  ASSERT_EQ(::chmod(tree.real("/rules").c_str(), 0640), 0);
  const bool has_xattr = ::setxattr(tree.real("/rules").c_str(), "user.note", "kept", 4, 0) == 0;
  const ino_t inode = stat_of(tree.real("/rules")).st_ino;
  ASSERT_TRUE(tree.open().write_atomic("/rules", "new", {.mode = 0777}).ok());
  EXPECT_EQ(tree.read("/rules"), "new");
  EXPECT_EQ(stat_of(tree.real("/rules")).st_mode & 07777, 0640U);
  EXPECT_NE(stat_of(tree.real("/rules")).st_ino, inode);
  if (has_xattr) {
    char value[8] = {};
    EXPECT_EQ(::getxattr(tree.real("/rules").c_str(), "user.note", value, sizeof value), 4);
    EXPECT_STREQ(value, "kept");
  }
}

TEST(AtomicWrite, KeepsAndSetsTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TemporaryTree tree;
  tree.file("/old", "old");
  ASSERT_EQ(::chown(tree.real("/old").c_str(), 1234, 2345), 0);
  ASSERT_EQ(::chmod(tree.real("/old").c_str(), 04750), 0);
  ASSERT_TRUE(tree.open().write_atomic("/old", "new").ok());
  ASSERT_TRUE(tree.open().write_atomic("/new", "new", {.mode = 0600, .uid = 77, .gid = {}}).ok());
  const struct stat old = stat_of(tree.real("/old"));
  EXPECT_EQ(std::tuple(old.st_uid, old.st_gid, old.st_mode & 07777U), std::tuple(1234U, 2345U, 04750U));
  EXPECT_EQ(std::tuple(stat_of(tree.real("/new")).st_uid, stat_of(tree.real("/new")).st_gid),
            std::tuple(77U, ::getegid()));
}

TEST(AtomicWrite, ReplacesWhatALinkPointsToAndKeepsTheLink) {
  const TemporaryTree tree;
  tree.file("/data/target", "old");
  tree.link("/etc/absolute", "/data/target");
  tree.link("/etc/chain", "absolute");
  ASSERT_TRUE(tree.open().write_atomic("/etc/chain", "new").ok());
  EXPECT_EQ(tree.read("/data/target"), "new");
  EXPECT_TRUE(S_ISLNK(stat_of(tree.real("/etc/chain")).st_mode));
  EXPECT_TRUE(S_ISLNK(stat_of(tree.real("/etc/absolute")).st_mode));
  tree.link("/etc/loop", "loop");
  EXPECT_EQ(tree.open().write_atomic("/etc/loop", "x").error().code(), Errc::loop);
}

TEST(AtomicWrite, LeavesOtherHardLinksTheOldContent) {
  const TemporaryTree tree;
  tree.file("/a", "old");
  std::filesystem::create_hard_link(tree.real("/a"), tree.real("/b"));
  ASSERT_TRUE(tree.open().write_atomic("/a", "new").ok());
  EXPECT_EQ(tree.read("/b"), "old");
}

TEST(AtomicWrite, RefusesWhatIsNoFile) {
  const TemporaryTree tree;
  tree.directory("/directory");
  ASSERT_EQ(::mkfifo(tree.real("/fifo").c_str(), 0600), 0);
  const Sysroot host = tree.open();
  for (const char* path : {"/directory", "/fifo", "/none/file", "/", "/directory/..", "relative"})
    EXPECT_FALSE(host.write_atomic(path, "x").ok()) << path;
  EXPECT_EQ(names_in(tree.root()), (std::vector<std::string>{"directory", "fifo"}));
  EXPECT_TRUE(names_in(tree.real("/directory")).empty());
}

TEST(AtomicWrite, NamesOfAnyLengthWork) {
  const TemporaryTree tree;
  const std::string longest(255, 'n');
  EXPECT_TRUE(tree.open().write_atomic("/" + longest, "x").ok());
  EXPECT_EQ(tree.open().write_atomic("/" + longest + "n", "x").error().code(), Errc::too_large);
  EXPECT_EQ(names_in(tree.root()), std::vector<std::string>{longest});
}

TEST(AtomicWrite, WritesPathsOfThisProcessToo) {
  const TemporaryTree tree;
  tree.directory("/out");
  ASSERT_TRUE(write_file_atomic(tree.real("/out/../out/report"), "x").ok());
  EXPECT_EQ(tree.read("/out/report"), "x");
  EXPECT_EQ(write_file_atomic(tree.real("/none/report"), "x").error().code(), Errc::not_found);
}

enum Outcome : int { kPassed = 0, kNoNamespace = 2, kWrong = 3 };

/// In a child with its own mounts: fills a file system of 64 KiB and looks at what is left behind.
int write_to_full_disk(const std::string& directory) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64k") != 0)
    return kNoNamespace;
  const auto host = Sysroot::open(directory);
  if (!host || !host->write_atomic("/file", "old").ok()) return kWrong;
  const auto full = host->write_atomic("/file", std::string(1 << 20, 'x'));
  if (full.ok() || full.error().code() != Errc::no_space) return kWrong;
  if (host->read_file("/file").value_or("") != "old") return kWrong;
  if (names_in(directory) != std::vector<std::string>{"file"}) return kWrong;
  return host->write_atomic("/file", "new").ok() ? kPassed : kWrong;
}

TEST(AtomicWrite, AFullDiskKeepsTheOldFileAndLeavesNoTemporary) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  const TemporaryTree tree;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(write_to_full_disk(tree.root()));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNamespace) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(WEXITSTATUS(status), kPassed);
}

}  // namespace
}  // namespace auditshift::base
