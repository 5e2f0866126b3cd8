// SPDX-License-Identifier: Apache-2.0
// One real call of each kind that works on files, compared field by field.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

class FileEvents : public SensorSuite<Everything> {
 protected:
  /// Runs `action` in the directory; the only event of the kind, its process checked.
  const Event& one(EventKind kind, int syscall, const Sensor::Action& action) {
    events_ = sensor_->observe([&](Self& self) {
      if (chdir(directory_.path().c_str()) != 0) _exit(1);
      action(self);
    });
    const Event& event = only(events_, kind);
    expect_is(event, sensor_->self());
    EXPECT_EQ(event.syscall.number, syscall);
#if defined(__x86_64__)
    EXPECT_EQ(event.syscall.abi, Abi::x86_64);
#endif
    EXPECT_TRUE(event.syscall.result_known);
    EXPECT_EQ(event.syscall.result, sensor_->self().results[0]);
    return event;
  }
  /// A path of an event is this absolute one and nothing is wrong with it.
  void expect_path(const Path& path, const std::string& name) {
    EXPECT_TRUE(path.present);
    EXPECT_EQ(path.text, directory_ / name);
    EXPECT_FALSE(path.truncated || path.unresolved || path.unreadable || path.deleted ||
                 path.chroot_relative);
  }
  void make_file(const char* name) {
    const int fd = open((directory_ / name).c_str(), O_CREAT | O_WRONLY, 0644);
    EXPECT_GE(fd, 0);
    close(fd);
  }
  int directory_fd() { return open(directory_.path().c_str(), O_PATH | O_DIRECTORY); }

  Events events_;
};

TEST_F(FileEvents, CreateByOpenat) {
  const Event& event = one(kind_of_a_made_file(), SYS_openat, [](Self& self) {
    self.results[0] = openat(AT_FDCWD, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
  });
  expect_path(event.path, "new");
  EXPECT_EQ(event.flags, static_cast<unsigned>(O_CREAT | O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(event.mode, 0640U);
  EXPECT_EQ(event.descriptor, sensor_->self().results[0]);
}

TEST_F(FileEvents, OpeningAnExistingFileForWriting) {
  make_file("old");
  const Event& event = one(EventKind::open, SYS_openat, [](Self& self) {
    self.results[0] = openat(AT_FDCWD, "./old", O_CREAT | O_RDWR | O_TRUNC, 0600);
  });
  expect_path(event.path, "old");
  EXPECT_EQ(all_of(events_, EventKind::create).size(), 0U) << "O_CREAT alone creates nothing";
}

TEST_F(FileEvents, OpenatByDescriptor) {
  const Event& event = one(EventKind::create, SYS_openat, [&](Self& self) {
    const int fd = directory_fd();
    if (chdir("/") != 0) _exit(1);
    self.results[0] = openat(fd, "sub/../by_fd", O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (self.results[0] < 0) {
      mkdirat(fd, "sub", 0700);
      self.results[0] = openat(fd, "sub/../by_fd", O_CREAT | O_EXCL | O_WRONLY, 0600);
    }
  });
  expect_path(event.path, "by_fd");
}

TEST_F(FileEvents, Openat2ReadsItsFlagsFromMemory) {
  const Event& event = one(kind_of_a_made_file(), SYS_openat2, [](Self& self) {
    open_how how{};
    how.flags = O_CREAT | O_WRONLY;
    how.mode = 0604;
    self.results[0] = syscall(SYS_openat2, AT_FDCWD, "two", &how, sizeof how);
  });
  expect_path(event.path, "two");
  EXPECT_EQ(event.flags, static_cast<unsigned>(O_CREAT | O_WRONLY));
  EXPECT_EQ(event.mode, 0604U);
}

TEST_F(FileEvents, AnUnnamedTemporaryFile) {
  const Event& event = one(EventKind::create, SYS_openat, [](Self& self) {
    self.results[0] = openat(AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
  });
  EXPECT_EQ(event.path.text, directory_.path()) << "it has no name of its own";
}

TEST_F(FileEvents, MkdirAndMkdirat) {
  const Event& event =
      one(EventKind::mkdir, SYS_mkdirat, [](Self& self) { self.results[0] = mkdirat(AT_FDCWD, "d", 0711); });
  expect_path(event.path, "d");
  EXPECT_EQ(event.mode, 0711U);
}

TEST_F(FileEvents, Unlinkat) {
  make_file("f");
  const Event& event =
      one(EventKind::unlink, SYS_unlinkat, [](Self& self) { self.results[0] = unlinkat(AT_FDCWD, "f", 0); });
  expect_path(event.path, "f");
}

TEST_F(FileEvents, UnlinkatOfADirectory) {
  mkdir((directory_ / "d").c_str(), 0700);
  const Event& event = one(EventKind::rmdir, SYS_unlinkat,
                           [](Self& self) { self.results[0] = unlinkat(AT_FDCWD, "d", AT_REMOVEDIR); });
  expect_path(event.path, "d");
}

TEST_F(FileEvents, RenameatByTwoDescriptors) {
  mkdir((directory_ / "a").c_str(), 0700);
  mkdir((directory_ / "b").c_str(), 0700);
  make_file("a/old");
  const Event& event = one(EventKind::rename, SYS_renameat, [](Self& self) {
    const int from = open("a", O_PATH), to = open("b", O_PATH);
    self.results[0] = syscall(SYS_renameat, from, "old", to, "new");
  });
  expect_path(event.path, "a/old");
  expect_path(event.second_path, "b/new");
}

TEST_F(FileEvents, Renameat2HasFlags) {
  make_file("old");
  const Event& event = one(EventKind::rename, SYS_renameat2, [](Self& self) {
    self.results[0] = syscall(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "new", 1U /* RENAME_NOREPLACE */);
  });
  expect_path(event.path, "old");
  expect_path(event.second_path, "new");
  EXPECT_EQ(event.flags, 1U);
}

TEST_F(FileEvents, Linkat) {
  make_file("f");
  const Event& event = one(EventKind::link, SYS_linkat, [&](Self& self) {
    self.results[0] = linkat(AT_FDCWD, "f", AT_FDCWD, (directory_ / "hard").c_str(), 0);
  });
  expect_path(event.path, "f");
  expect_path(event.second_path, "hard");
}

TEST_F(FileEvents, Symlinkat) {
  const Event& event = one(EventKind::symlink, SYS_symlinkat, [](Self& self) {
    self.results[0] = symlinkat("../target of link", AT_FDCWD, "soft");
  });
  expect_path(event.path, "soft");
  EXPECT_EQ(event.text, "../target of link");
}

TEST_F(FileEvents, Mknodat) {
  const Event& event = one(EventKind::mknod, SYS_mknodat, [](Self& self) {
    self.results[0] = mknodat(AT_FDCWD, "null", S_IFCHR | 0600, makedev(1, 3));
  });
  expect_path(event.path, "null");
  EXPECT_EQ(event.mode, static_cast<unsigned>(S_IFCHR | 0600));
  EXPECT_EQ(event.device, makedev(1, 3));
}

TEST_F(FileEvents, TruncateByPathAndByDescriptor) {
  make_file("f");
  const Event& event =
      one(EventKind::truncate, SYS_truncate, [](Self& self) { self.results[0] = truncate("f", 12345); });
  expect_path(event.path, "f");
  EXPECT_EQ(event.size, 12345U);
  const Event& by_fd = one(EventKind::truncate, SYS_ftruncate,
                           [](Self& self) { self.results[0] = ftruncate(open("f", O_RDWR), 5'000'000'000); });
  expect_path(by_fd.path, "f");
  EXPECT_TRUE(by_fd.path.from_kernel);
  EXPECT_EQ(by_fd.size, 5'000'000'000U);
}

TEST_F(FileEvents, ChmodFamily) {
  make_file("f");
  const Event& by_fd = one(EventKind::chmod, SYS_fchmod,
                           [](Self& self) { self.results[0] = fchmod(open("f", O_RDONLY), 0600); });
  expect_path(by_fd.path, "f");
  EXPECT_EQ(by_fd.mode, 0600U);
  const Event& at = one(EventKind::chmod, SYS_fchmodat,
                        [](Self& self) { self.results[0] = syscall(SYS_fchmodat, AT_FDCWD, "f", 04711); });
  expect_path(at.path, "f");
  EXPECT_EQ(at.mode, 04711U);
  // Tier fentry sees calls where functions carry them out: before 6.6 none does this one.
  if (tier_under_test() == bpf::Tier::fentry && syscall(452, -1, nullptr, 0, -1) != 0 && errno == ENOSYS)
    return;
  const Event& two = one(EventKind::chmod, 452, [](Self& self) {
    // Before 6.6 the kernel refuses this without reading the path: see the next test.
    const char name[] = {*const_cast<const volatile char*>("f"), '\0'};
    self.results[0] =
        syscall(452 /* fchmodat2 */, AT_FDCWD, name, 0644, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;
  });
  expect_path(two.path, "f");
  EXPECT_EQ(two.flags, static_cast<unsigned>(AT_SYMLINK_NOFOLLOW));
}

// A program in the kernel cannot wait for memory. A call that the kernel carries out has brought its path in;
// one that it refuses before that may have left it in a file that nobody has read from.
TEST_F(FileEvents, APathThatNobodyReadIsToldAsUnreadable) {
  constexpr std::string_view kText = "f";
  const int file = open((directory_ / "texts").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ASSERT_EQ(pwrite(file, kText.data(), kText.size(), 0), static_cast<ssize_t>(kText.size()));
  const auto refused = [file](Self& self, bool touch) {
    const auto* name = static_cast<const char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file, 0));
    if (name == MAP_FAILED || (touch && *const_cast<const volatile char*>(name) != 'f')) _exit(1);
    self.results[0] = syscall(SYS_unlinkat, AT_FDCWD, name, 1 /* no flag that there is */) == 0 ? 0 : -errno;
  };
  const Event& unread = one(EventKind::unlink, SYS_unlinkat, [&](Self& self) { refused(self, false); });
  EXPECT_EQ(unread.syscall.result, -EINVAL);
  EXPECT_TRUE(unread.path.present);
  EXPECT_TRUE(unread.path.unreadable);
  EXPECT_EQ(unread.path.text, "");
  const Event& read = one(EventKind::unlink, SYS_unlinkat, [&](Self& self) { refused(self, true); });
  EXPECT_EQ(read.syscall.result, -EINVAL);
  expect_path(read.path, "f");
  close(file);
}

TEST_F(FileEvents, ChownFamily) {
  make_file("f");
  const Event& at = one(EventKind::chown, SYS_fchownat, [](Self& self) {
    self.results[0] = fchownat(AT_FDCWD, "f", 1, 2, AT_SYMLINK_NOFOLLOW);
  });
  expect_path(at.path, "f");
  EXPECT_EQ(at.owner_uid, 1U);
  EXPECT_EQ(at.owner_gid, 2U);
  const Event& by_fd = one(EventKind::chown, SYS_fchown, [](Self& self) {
    self.results[0] = fchown(open("f", O_RDONLY), static_cast<uid_t>(-1), 5);
  });
  expect_path(by_fd.path, "f");
  EXPECT_EQ(by_fd.owner_uid, kUnknownId);
  EXPECT_EQ(by_fd.owner_gid, 5U);
  const Event& empty = one(EventKind::chown, SYS_fchownat, [](Self& self) {
    self.results[0] = fchownat(open("f", O_PATH), "", 3, 3, AT_EMPTY_PATH);
  });
  expect_path(empty.path, "f");
}

TEST_F(FileEvents, ExtendedAttributes) {
  make_file("f");
  const auto note = [](int result) { return result == 0 ? 0 : -errno; };
  const Event& set = one(EventKind::set_xattr, SYS_setxattr, [&](Self& self) {
    self.results[0] = note(setxattr("f", "user.label", "value", 5, XATTR_CREATE));
  });
  expect_path(set.path, "f");
  EXPECT_EQ(set.text, "user.label");
  EXPECT_EQ(set.size, 5U);
  EXPECT_EQ(set.flags, static_cast<unsigned>(XATTR_CREATE));
  const Event& by_fd = one(EventKind::remove_xattr, SYS_fremovexattr, [&](Self& self) {
    self.results[0] = note(fremovexattr(open("f", O_RDWR), "user.label"));
  });
  expect_path(by_fd.path, "f");
  EXPECT_EQ(by_fd.text, "user.label");
}

#if defined(__x86_64__)  // newer architectures have the *at forms only
TEST_F(FileEvents, TheOldFormsWithoutAt) {
  make_file("f");
  expect_path(one(kind_of_a_made_file(), SYS_creat,
                  [](Self& self) { self.results[0] = syscall(SYS_creat, "c", 0600); })
                  .path,
              "c");
  expect_path(one(kind_of_a_made_file(), SYS_open,
                  [](Self& self) { self.results[0] = syscall(SYS_open, "o", O_CREAT | O_WRONLY, 0600); })
                  .path,
              "o");
  expect_path(
      one(EventKind::mkdir, SYS_mkdir, [](Self& self) { self.results[0] = syscall(SYS_mkdir, "d", 0700); })
          .path,
      "d");
  expect_path(
      one(EventKind::rmdir, SYS_rmdir, [](Self& self) { self.results[0] = syscall(SYS_rmdir, "d"); }).path,
      "d");
  expect_path(
      one(EventKind::link, SYS_link, [](Self& self) { self.results[0] = syscall(SYS_link, "f", "l"); })
          .second_path,
      "l");
  expect_path(one(EventKind::symlink, SYS_symlink,
                  [](Self& self) { self.results[0] = syscall(SYS_symlink, "f", "s"); })
                  .path,
              "s");
  expect_path(
      one(EventKind::chmod, SYS_chmod, [](Self& self) { self.results[0] = syscall(SYS_chmod, "f", 0600); })
          .path,
      "f");
  expect_path(
      one(EventKind::chown, SYS_chown, [](Self& self) { self.results[0] = syscall(SYS_chown, "f", 0, 0); })
          .path,
      "f");
  expect_path(
      one(EventKind::chown, SYS_lchown, [](Self& self) { self.results[0] = syscall(SYS_lchown, "s", 0, 0); })
          .path,
      "s");
  expect_path(one(EventKind::mknod, SYS_mknod,
                  [](Self& self) { self.results[0] = syscall(SYS_mknod, "p", S_IFIFO | 0600, 0); })
                  .path,
              "p");
  const Event& rename =
      one(EventKind::rename, SYS_rename, [](Self& self) { self.results[0] = syscall(SYS_rename, "f", "g"); });
  expect_path(rename.path, "f");
  expect_path(rename.second_path, "g");
  expect_path(
      one(EventKind::unlink, SYS_unlink, [](Self& self) { self.results[0] = syscall(SYS_unlink, "g"); }).path,
      "g");
}
#endif

TEST_F(FileEvents, FailuresCarryTheirErrno) {
  const Event& event = one(EventKind::unlink, SYS_unlinkat, [](Self& self) {
    self.results[0] = unlinkat(AT_FDCWD, "nonesuch", 0) == 0 ? 0 : -errno;
  });
  EXPECT_EQ(event.syscall.error(), ENOENT);
  expect_path(event.path, "nonesuch");
}

using DefaultFileEvents = SensorSuite<Defaults>;

TEST_F(DefaultFileEvents, ReadsAndFailuresOtherThanRefusalsAreLeftOut) {
  const Events events = sensor_->observe([&](Self&) {
    close(open("/etc/passwd", O_RDONLY));
    unlink((directory_ / "nonesuch").c_str());
  });
  EXPECT_EQ(events.size(), 1U) << "only its end was to be seen: " << describe(events);
}

TEST_F(DefaultFileEvents, RefusalsAreIn) {
  const Events events = sensor_->observe([&](Self& self) {
    if (setresuid(65534, 65534, 65534) != 0) _exit(1);
    self.look();
    if (open("/etc/shadow", O_RDWR) >= 0 || open("/etc/shadow", O_RDONLY) >= 0) _exit(2);
  });
  const auto opens = all_of(events, EventKind::open);
  ASSERT_EQ(opens.size(), 1U) << "for writing only: " << describe(events);
  EXPECT_EQ(opens[0]->syscall.error(), EACCES);
  EXPECT_EQ(opens[0]->path.text, "/etc/shadow");
  expect_is(*opens[0], sensor_->self());
}

struct WithReads {
  static EbpfOptions get() {
    EbpfOptions options;
    options.reads = true;
    return options;
  }
};
using ReadEvents = SensorSuite<WithReads>;

TEST_F(ReadEvents, OpensForReadingAreInByOption) {
  const Events events = sensor_->observe([](Self&) { close(open("/etc/passwd", O_RDONLY)); });
  const auto opens = all_of(events, EventKind::open);
  ASSERT_FALSE(opens.empty());  // the child has read what /proc tells about it before
  EXPECT_EQ(opens.back()->path.text, "/etc/passwd");
  EXPECT_EQ(opens.back()->flags & O_ACCMODE, static_cast<unsigned>(O_RDONLY));
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
