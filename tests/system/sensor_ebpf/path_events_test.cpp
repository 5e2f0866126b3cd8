// SPDX-License-Identifier: Apache-2.0
// Paths where they are hard: chroot, mount namespaces, deleted directories, the longest names, odd bytes.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

void must(bool condition) {
  if (!condition) _exit(1);
}

/// What the kernel calls the current directory.
void note_cwd(Self& self) { must(getcwd(self.note.data(), self.note.size()) != nullptr); }

class PathEvents : public SensorSuite<Everything> {
 protected:
  const Event& one(EventKind kind, const Sensor::Action& action) {
    events_ = sensor_->observe(action);
    return only(events_, kind);
  }
  Events events_;
};

TEST_F(PathEvents, AfterChdirAndFchdir) {
  const Event& event = one(EventKind::mkdir, [&](Self&) {
    must(chdir(directory_.path().c_str()) == 0 && mkdir("inner", 0700) == 0);
  });
  EXPECT_EQ(event.path.text, directory_ / "inner");
  const Event& again = one(EventKind::mkdir, [&](Self&) {
    must(fchdir(open((directory_ / "inner").c_str(), O_PATH)) == 0 && mkdir("../other/", 0700) == 0);
  });
  EXPECT_EQ(again.path.text, directory_ / "other");
}

TEST_F(PathEvents, AcrossMountsInANamespaceOfItsOwn) {
  const Event& event = one(EventKind::mkdir, [&](Self&) {
    must(unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    must(mount("outer", directory_.path().c_str(), "tmpfs", 0, nullptr) == 0);
    must(syscall(SYS_mkdir, (directory_ / "a").c_str(), 0700) == 0);
  });
  EXPECT_EQ(event.path.text, directory_ / "a");
  const Event& deep = one(EventKind::symlink, [&](Self& self) {
    must(unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    must(mount("outer", directory_.path().c_str(), "tmpfs", 0, nullptr) == 0);
    must(mkdir((directory_ / "in").c_str(), 0700) == 0);
    must(mount("inner", (directory_ / "in").c_str(), "tmpfs", 0, nullptr) == 0);
    must(mkdir((directory_ / "in/dir").c_str(), 0700) == 0 && chdir((directory_ / "in/dir").c_str()) == 0);
    must(symlink("t", "link") == 0);
    self.look();
  });
  EXPECT_EQ(deep.path.text, directory_ / "in/dir/link") << "two mounts lie on the way up";
  EXPECT_FALSE(deep.path.chroot_relative);
  EXPECT_EQ(deep.process.mount_namespace, sensor_->self().mount_namespace);
}

TEST_F(PathEvents, InAChroot) {
  const Events events = sensor_->observe([&](Self&) {
    const int outside = open("/tmp", O_PATH);
    must(mkdir((directory_ / "root").c_str(), 0755) == 0 &&
         mkdir((directory_ / "root/sub").c_str(), 0755) == 0);
    must(chroot((directory_ / "root").c_str()) == 0 && chdir("/sub") == 0);
    must(symlink("t", "/absolute") == 0 && symlink("t", "relative") == 0);
    must(symlinkat("t", outside, "auditshift-outside") == 0 &&
         unlinkat(outside, "auditshift-outside", 0) == 0);
  });
  const auto links = all_of(events, EventKind::symlink);
  ASSERT_EQ(links.size(), 3U) << describe(events);
  EXPECT_EQ(links[0]->path.text, "/absolute");
  EXPECT_TRUE(links[0]->path.chroot_relative);
  EXPECT_EQ(links[1]->path.text, "/sub/relative");
  EXPECT_TRUE(links[1]->path.chroot_relative);
  EXPECT_EQ(links[2]->path.text, "/tmp/auditshift-outside") << "out of the chroot by an old descriptor";
  EXPECT_FALSE(links[2]->path.chroot_relative);
  EXPECT_FALSE(all_of(events, EventKind::mkdir)[0]->path.chroot_relative) << "before the chroot";
}

TEST_F(PathEvents, ARootThatIsTheTopOfAnotherMountIsNoChroot) {
  const Event& event = one(EventKind::symlink, [&](Self&) {
    must(unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    must(mount("root", directory_.path().c_str(), "tmpfs", 0, nullptr) == 0 &&
         chdir(directory_.path().c_str()) == 0);
    must(mkdir("old", 0700) == 0 && syscall(SYS_pivot_root, ".", "old") == 0 && chdir("/") == 0);
    must(symlink("t", "link") == 0);
  });
  EXPECT_EQ(event.path.text, "/link");
  EXPECT_FALSE(event.path.chroot_relative) << "as in a container";
}

TEST_F(PathEvents, ADirectoryThatIsGone) {
  const Events events = sensor_->observe([&](Self&) {
    const std::string gone = directory_ / "gone";
    must(mkdir(gone.c_str(), 0700) == 0 && chdir(gone.c_str()) == 0 && rmdir(gone.c_str()) == 0);
    must(symlink("t", "link") != 0);
  });
  const Event& link = only(events, EventKind::symlink);
  EXPECT_EQ(link.syscall.error(), ENOENT);
  EXPECT_EQ(link.path.text, directory_ / "gone/link");
  EXPECT_TRUE(link.path.deleted);
}

TEST_F(PathEvents, TheLongestPathThereIs) {
  // 4095 bytes and a NUL: PATH_MAX.
  std::string path = directory_.path();
  while (path.size() + 201 < 4095) path += "/" + std::string(200, 'x');
  path += "/" + std::string(4095 - path.size() - 1, 'y');
  ASSERT_EQ(path.size(), 4095U);
  const Events events = sensor_->observe([&](Self& self) {
    self.results[0] = open(path.c_str(), O_CREAT | O_WRONLY, 0600);
    self.results[1] = open((path + "z").c_str(), O_CREAT | O_WRONLY, 0600);
  });
  const auto opens = all_of(events, EventKind::open);
  ASSERT_EQ(opens.size(), 2U) << describe(events);
  EXPECT_EQ(opens[0]->syscall.error(), ENOENT);
  EXPECT_EQ(opens[0]->path.text, path);
  EXPECT_FALSE(opens[0]->path.truncated);
  EXPECT_EQ(opens[1]->syscall.error(), ENAMETOOLONG);
  EXPECT_TRUE(opens[1]->path.truncated);
  EXPECT_EQ(opens[1]->path.text.size(), 4096U);
}

TEST_F(PathEvents, ACwdLongerThanAnyPath) {
  SKIP_ON_LEGACY("/proc shows no name that long");
  const std::string name(250, 'n');
  const Events events = sensor_->observe([&](Self& self) {
    must(chdir(directory_.path().c_str()) == 0);
    for (int depth = 0; depth < 15; ++depth)
      must(mkdirat(AT_FDCWD, name.c_str(), 0700) == 0 && chdir(name.c_str()) == 0);
    note_cwd(self);
    must(symlink("t", "link") == 0);
    for (int depth = 0; depth < 5; ++depth)
      must(mkdirat(AT_FDCWD, name.c_str(), 0700) == 0 && chdir(name.c_str()) == 0);
    must(symlink("t", "far") == 0);
  });
  const auto links = all_of(events, EventKind::symlink);
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0]->path.text, std::string(sensor_->self().note.data()) + "/link");
  EXPECT_FALSE(links[0]->path.truncated);
  EXPECT_TRUE(links[1]->path.truncated) << "over 4096 bytes: the front is missing";
  EXPECT_TRUE(links[1]->path.text.ends_with("/" + name + "/far"));
  EXPECT_FALSE(links[1]->path.text.starts_with("/"));
  EXPECT_GE(links[1]->path.text.size(), 4000U);
}

/// A walk is made in parts: no name is missing or told twice where one ends and the next begins.
TEST_F(PathEvents, DirectoriesOfEachDepth) {
  SKIP_ON_LEGACY("it walks nowhere: /proc tells the whole name");
  constexpr int depths = 40;
  const Events events = sensor_->observe([&](Self&) {
    must(chdir(directory_.path().c_str()) == 0);
    for (int depth = 0; depth < depths; ++depth) {
      const std::string name = std::to_string(depth);
      must(mkdirat(AT_FDCWD, name.c_str(), 0700) == 0 && chdir(name.c_str()) == 0);
      const int here = open(".", O_PATH | O_DIRECTORY);
      must(here >= 0 && symlink("t", "by-cwd") == 0 && symlinkat("t", here, "by-descriptor") == 0);
      close(here);
    }
  });
  const auto links = all_of(events, EventKind::symlink);
  ASSERT_EQ(links.size(), 2U * depths);
  std::string path = directory_.path();
  for (std::size_t depth = 0; depth < depths; ++depth) {
    path += "/" + std::to_string(depth);
    EXPECT_EQ(links[2 * depth]->path.text, path + "/by-cwd");
    EXPECT_EQ(links[2 * depth + 1]->path.text, path + "/by-descriptor");
  }
}

TEST_F(PathEvents, DeeperThanTheWalkGoes) {
  SKIP_ON_LEGACY("it walks nowhere: /proc tells the whole name");
  const Events events = sensor_->observe([&](Self&) {
    must(chdir(directory_.path().c_str()) == 0);
    for (int depth = 0; depth < 200; ++depth) must(mkdirat(AT_FDCWD, "d", 0700) == 0 && chdir("d") == 0);
    must(symlink("t", "link") == 0);
  });
  const Path& path = only(events, EventKind::symlink).path;
  EXPECT_TRUE(path.truncated);
  EXPECT_TRUE(path.text.ends_with("/d/d/link"));
  EXPECT_FALSE(path.text.starts_with("/"));
}

TEST_F(PathEvents, AnyBytesButNul) {
  std::string name;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '/') name += static_cast<char>(byte);
  }
  const Events events = sensor_->observe([&](Self&) {
    must(mkdir((directory_ / "größe-日本").c_str(), 0700) == 0);
    must(chdir((directory_ / "größe-日本").c_str()) == 0);
    must(symlink(name.c_str(), name.c_str()) == 0);
  });
  const Event& link = only(events, EventKind::symlink);
  EXPECT_EQ(link.path.text, directory_ / ("größe-日本/" + name));
  EXPECT_EQ(link.text, name);
}

TEST_F(PathEvents, MemoryThatIsNotThere) {
  const Event& event = one(EventKind::unlink, [](Self&) {
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(unlink(static_cast<const char*>(page)) != 0);
  });
  EXPECT_EQ(event.syscall.error(), EFAULT);
  EXPECT_TRUE(event.path.present);
  EXPECT_TRUE(event.path.unreadable);
  EXPECT_EQ(event.path.text, "");
  const Event& null = one(EventKind::truncate, [](Self&) { must(syscall(SYS_truncate, nullptr, 0) != 0); });
  EXPECT_TRUE(null.path.present);
  EXPECT_TRUE(null.path.unreadable) << "a null pointer is no path";
}

TEST_F(PathEvents, ADescriptorThatIsNone) {
  const Event& event = one(EventKind::unlink, [](Self&) { must(unlinkat(777, "name", 0) != 0); });
  EXPECT_EQ(event.syscall.error(), EBADF);
  EXPECT_TRUE(event.path.unresolved);
  EXPECT_EQ(event.path.text, "name");
}

TEST_F(PathEvents, AFileWithoutAPlaceInTheTree) {
  const Event& event =
      one(EventKind::truncate, [](Self&) { must(ftruncate(memfd_create("in memory", 0), 10) == 0); });
  EXPECT_EQ(event.path.text, "memfd:in memory");
  EXPECT_TRUE(event.path.unresolved);
}

TEST_F(PathEvents, AnExecutableThatWasRemoved) {
  const std::string copy = directory_ / "gone";
  const Events events = sensor_->observe([&](Self&) {
    must(system(("cp /bin/sh " + copy).c_str()) == 0);
    execl(copy.c_str(), "sh", "-c", ("rm " + copy + "; echo >" + directory_.path() + "/made; exit 0").c_str(),
          nullptr);
  });
  const auto creates = all_of(events, kind_of_a_made_file());
  ASSERT_FALSE(creates.empty());
  EXPECT_EQ(creates.back()->process.executable.text, copy) << "remembered since exec";
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
