// SPDX-License-Identifier: Apache-2.0
#include "base/sysroot.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/unit/temporary_tree.h"

namespace auditshift::base {
namespace {

using tests::TemporaryTree;

bool kernel_has_openat2(const TemporaryTree& tree) {
  const auto probe = tree.open(Sysroot::Resolver::openat2).stat("/");
  return probe.ok() || (probe.error().system_errno() != ENOSYS && probe.error().system_errno() != EPERM);
}

/// Every property must hold for both ways of resolving paths.
class SysrootTest : public ::testing::TestWithParam<Sysroot::Resolver> {
 protected:
  void SetUp() override {
    if (GetParam() == Sysroot::Resolver::openat2 && !kernel_has_openat2(tree_))
      GTEST_SKIP() << "this kernel has no openat2(2)";
  }
  Sysroot host() const { return tree_.open(GetParam()); }
  Errc read_error(std::string_view path) const {
    const auto content = host().read_file(path);
    EXPECT_FALSE(content.ok()) << path;
    return content.ok() ? Errc::io : content.error().code();
  }

  TemporaryTree tree_;
};

TEST_P(SysrootTest, ReadsFilesAndTheirAttributes) {
  tree_.file("/etc/audit/rules.d/a.rules", "-w /etc -p wa\n");
  const Sysroot host = this->host();
  EXPECT_EQ(*host.read_file("/etc/audit/rules.d/a.rules"), "-w /etc -p wa\n");
  EXPECT_EQ(*host.read_file("//etc/./audit//rules.d/../rules.d/a.rules"), "-w /etc -p wa\n");
  const auto info = host.stat("/etc/audit/rules.d/a.rules");
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->is_regular());
  EXPECT_EQ(info->size, 14U);
  EXPECT_TRUE(host.stat("/etc/audit/")->is_directory());
  EXPECT_FALSE(host.is_live());
  EXPECT_TRUE(host.exists("/etc/audit"));
  EXPECT_FALSE(host.exists("/etc/none"));
}

TEST_P(SysrootTest, ListsNamesInByteOrderWithoutFollowingLinks) {
  tree_.file("/d/b", "");
  tree_.file("/d/a10", "");
  tree_.file("/d/.hidden", "");
  tree_.link("/d/a9", "/nowhere");
  const Sysroot host = this->host();
  const auto entries = host.list("/d");
  ASSERT_TRUE(entries.ok());
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{".hidden", "a10", "a9", "b"}));
  EXPECT_TRUE((*entries)[2].info.is_symlink());
  EXPECT_FALSE(host.list("/d/b").ok());
  EXPECT_EQ(host.list("/none").error().code(), Errc::not_found);
}

TEST_P(SysrootTest, LinksNeverLeadOutOfTheRoot) {
  const TemporaryTree outside;
  outside.file("/secret", "outside");
  tree_.file("/etc/passwd", "inside");
  tree_.file("/secret", "inside");
  tree_.link("/absolute", "/etc/passwd");
  tree_.link("/climbing", "../../../../../../../etc/passwd");
  tree_.link("/dir/deep/climbing", "../../../../../secret");
  tree_.link("/outside", outside.real("/secret"));
  tree_.link("/parent", "..");
  tree_.link("/chain1", "chain2");
  tree_.link("/chain2", "/dir/chain3");
  tree_.link("/dir/chain3", "../etc/passwd");
  tree_.link("/linked_dir", "/etc");
  const Sysroot host = this->host();
  for (const char* path :
       {"/absolute", "/climbing", "/dir/deep/climbing", "/parent/secret", "/../../secret",
        "/parent/parent/../secret", "/chain1", "/linked_dir/passwd", "/linked_dir/../secret"})
    EXPECT_EQ(host.read_file(path).value_or("unreadable"), "inside") << path;
  EXPECT_EQ(read_error("/outside"), Errc::not_found);
}

TEST_P(SysrootTest, LoopsAndLongChainsEnd) {
  tree_.link("/self", "self");
  tree_.link("/ping", "pong");
  tree_.link("/pong", "ping");
  tree_.link("/in", "in/deeper");
  for (int i = 0; i < 60; ++i) tree_.link("/c" + std::to_string(i), "c" + std::to_string(i + 1));
  tree_.file("/c60", "far");
  for (const char* path : {"/self", "/ping", "/in", "/c0", "/self/x"})
    EXPECT_EQ(read_error(path), Errc::loop);
  const Sysroot host = this->host();
  EXPECT_EQ(*host.read_file("/c40"), "far");
  EXPECT_FALSE(host.resolve("/ping").ok());
  EXPECT_TRUE(host.lstat("/self")->is_symlink());
}

TEST_P(SysrootTest, ComponentsThatAreNoDirectoriesAreErrors) {
  tree_.file("/file", "x");
  tree_.link("/link", "file");
  for (const char* path : {"/file/x", "/link/x", "/file/", "/file/..//none"})
    EXPECT_FALSE(host().stat(path).ok()) << path;
  EXPECT_EQ(read_error("/none/x"), Errc::not_found);
  EXPECT_EQ(read_error("relative"), Errc::invalid);
  EXPECT_EQ(read_error(""), Errc::invalid);
  EXPECT_EQ(read_error(std::string_view("/fi\0le", 6)), Errc::invalid);
}

TEST_P(SysrootTest, NeverWaitsForSpecialFiles) {
  ASSERT_EQ(::mkfifo(tree_.real("/fifo").c_str(), 0600), 0);
  tree_.link("/to_fifo", "fifo");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tree_.real("/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(read_error("/fifo"), Errc::invalid);
  EXPECT_EQ(read_error("/to_fifo"), Errc::invalid);
  EXPECT_FALSE(host().read_file("/socket").ok());
  EXPECT_FALSE(host().read_file("/").ok());
  ::close(fd);
}

TEST_P(SysrootTest, RefusesFilesOverTheLimit) {
  tree_.file("/huge", "");
  std::filesystem::resize_file(tree_.real("/huge"), std::uintmax_t{1} << 40);  // sparse
  tree_.file("/ten", "0123456789");
  EXPECT_EQ(read_error("/huge"), Errc::too_large);
  EXPECT_EQ(host().read_file("/ten", 10).value_or(""), "0123456789");
  EXPECT_EQ(host().read_file("/ten", 9).error().code(), Errc::too_large);
}

TEST_P(SysrootTest, MagicLinksOfProcAreNoWayOut) {
  auto live = Sysroot::open("/", GetParam());
  ASSERT_TRUE(live.ok());
  EXPECT_TRUE(live->is_live());
  tree_.file("/x", "content");
  const Fd fd(::open(tree_.real("/x").c_str(), O_RDONLY));
  std::filesystem::remove(tree_.real("/x"));
  // The link still opens the deleted file for whoever follows it as the kernel does.
  EXPECT_FALSE(live->read_file("/proc/self/fd/" + std::to_string(fd.get())).ok());
  // Files that say they are empty and are not.
  EXPECT_FALSE(live->read_file("/proc/self/status").value_or("").empty());
}

TEST_P(SysrootTest, ResolvesToThePathInsideTheRoot) {
  tree_.file("/usr/lib/systemd/system/auditd.service", "");
  tree_.link("/lib", "usr/lib");
  tree_.link("/etc/systemd/system/x.wants/auditd.service", "/lib/systemd/system/auditd.service");
  const Sysroot host = this->host();
  EXPECT_EQ(*host.resolve("/etc/systemd/system/x.wants/auditd.service"),
            "/usr/lib/systemd/system/auditd.service");
  EXPECT_EQ(*host.resolve("/"), "/");
  EXPECT_EQ(*host.resolve("/../lib"), "/usr/lib");
  EXPECT_EQ(*host.read_link("/lib"), "usr/lib");
  EXPECT_FALSE(host.read_link("/usr").ok());
  EXPECT_EQ(host.resolve("/none/x").error().code(), Errc::not_found);
}

TEST_P(SysrootTest, LinksThatEndInASlashOrADirectory) {
  tree_.file("/data/x", "content");
  tree_.link("/slash", "data/");
  tree_.link("/dot", "data/.");
  tree_.link("/to_root", "/");
  const Sysroot host = this->host();
  for (const char* path : {"/slash/x", "/dot/x", "/to_root/data/x", "/to_root/to_root/data/x"})
    EXPECT_EQ(host.read_file(path).value_or("unreadable"), "content") << path;
  EXPECT_TRUE(host.list("/to_root").ok());
  EXPECT_TRUE(host.stat("/slash/")->is_directory());
}

TEST_P(SysrootTest, OpensButNeverCreates) {
  const Sysroot host = this->host();
  EXPECT_FALSE(host.open_file("/new", O_WRONLY | O_CREAT).ok());
  EXPECT_FALSE(host.open_file("/", O_RDWR | O_TMPFILE).ok());
  EXPECT_FALSE(host.exists("/new"));
}

TEST_P(SysrootTest, MakesDirectoriesAndRemovesFiles) {
  tree_.link("/var", "/real_var");
  tree_.directory("/real_var");
  const Sysroot host = this->host();
  ASSERT_TRUE(host.make_directories("/var/lib/auditshift", 0700).ok());
  EXPECT_TRUE(host.make_directories("/var/lib/auditshift").ok());
  EXPECT_TRUE(host.stat("/real_var/lib/auditshift")->is_directory());
  ASSERT_TRUE(host.write_atomic("/var/lib/auditshift/state", "x").ok());
  tree_.link("/link", "/var/lib/auditshift/state");
  EXPECT_FALSE(host.make_directories("/var/lib/auditshift/state/x").ok());
  ASSERT_TRUE(host.remove("/link").ok());  // the link, not its target
  EXPECT_TRUE(host.exists("/var/lib/auditshift/state"));
  ASSERT_TRUE(host.remove("/var/lib/auditshift/state").ok());
  EXPECT_EQ(host.remove("/var/lib/auditshift/state").error().code(), Errc::not_found);
  EXPECT_FALSE(host.remove("/var/lib/auditshift").ok());
  EXPECT_FALSE(host.remove("/").ok());
}

INSTANTIATE_TEST_SUITE_P(BothResolvers, SysrootTest,
                         ::testing::Values(Sysroot::Resolver::openat2, Sysroot::Resolver::walk),
                         [](const auto& resolver) {
                           return resolver.param == Sysroot::Resolver::walk ? "walk" : "openat2";
                         });

TEST(Sysroot, RootMustBeADirectory) {
  const TemporaryTree tree;
  tree.file("/file", "");
  EXPECT_EQ(Sysroot::open(tree.real("/none")).error().code(), Errc::not_found);
  EXPECT_FALSE(Sysroot::open(tree.real("/file")).ok());
}

}  // namespace
}  // namespace auditshift::base
