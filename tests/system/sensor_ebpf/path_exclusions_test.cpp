// SPDX-License-Identifier: Apache-2.0
// Excluded files and folders: which names the kernel side keeps back, and which it leaves to the user side.
// The provider alone runs here, so whatever is missing the kernel has kept back; and the user side, asked
// about everything that came, has nothing to add but what only it can decide.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "sensor/exclusions.h"
#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

namespace fs = std::filesystem;

class PathExclusions : public SensorSuite<Everything> {
 protected:
  void SetUp() override {
    SKIP_ON_LEGACY("the daemon does what is excluded");
    SensorSuite::SetUp();
    for (const char* name : {"quiet", "quiet/sub", "loud", "quiet2"})
      fs::create_directories(directory_ / name);
  }
  void TearDown() override {
    if (sensor_) {
      EXPECT_TRUE(sensor_->provider().exclude({}).ok());
    }
    SensorSuite::TearDown();
  }
  void exclude(const std::vector<Exclusion>& entries) {
    entries_ = entries;
    const auto done = sensor_->provider().exclude(entries);
    EXPECT_TRUE(done.ok()) << done.error().message();
  }
  void exclude_folder(const std::string& name) { exclude({{ExclusionKind::folder, directory_ / name}}); }

  /// The kinds of what `action` does that came, without processes coming and going; file events on other
  /// names than those of the test's do not occur.
  std::vector<std::string> seen(const Sensor::Action& action) {
    const Events events = sensor_->observe(action);
    std::vector<std::string> kinds;
    const Exclusions filter(entries_);
    left_to_user_ = 0;
    for (const OwnedEvent& event : events) {
      if (event->kind == EventKind::exit || event->kind == EventKind::fork) continue;
      kinds.emplace_back(kind_name(event->kind));
      left_to_user_ += filter.excluded(*event) ? 1U : 0U;
    }
    return kinds;
  }
  using Kinds = std::vector<std::string>;

  std::vector<Exclusion> entries_;
  std::size_t left_to_user_ = 0;  ///< of those that came
};

TEST_F(PathExclusions, AFolderIsItselfAndAllBelow) {
  exclude_folder("quiet");
  const std::uint64_t before = sensor_->core().excluded();
  const Kinds kinds = seen([&](Self&) {
    mkdir((directory_ / "quiet/a").c_str(), 0700);
    close(open((directory_ / "quiet/sub/file").c_str(), O_CREAT | O_WRONLY, 0600));
    truncate((directory_ / "quiet/sub/file").c_str(), 1);
    chmod((directory_ / "quiet").c_str(), 0755);
    unlink((directory_ / "quiet/sub/file").c_str());
    mkdir((directory_ / "quiet2/a").c_str(), 0700);
    mkdir((directory_ / "qui").c_str(), 0700);
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir"})) << "beside the folder, not in it";
  EXPECT_GE(sensor_->core().excluded() - before, 5U) << "counted, with the sensor's own";
}

TEST_F(PathExclusions, AFileIsExactlyThatName) {
  exclude({{ExclusionKind::file, directory_ / "quiet/file"}});
  const Kinds kinds = seen([&](Self&) {
    close(open((directory_ / "quiet/file").c_str(), O_CREAT | O_WRONLY, 0600));
    close(open((directory_ / "quiet/file2").c_str(), O_CREAT | O_WRONLY, 0600));
    mkdir((directory_ / "quiet/file/below").c_str(), 0700);  // ENOTDIR
    unlink((directory_ / "quiet/fil").c_str());              // ENOENT
  });
  EXPECT_EQ(kinds, (Kinds{"create", "mkdir", "unlink"}));
}

TEST_F(PathExclusions, LongNamesAreComparedWhole) {
  const std::string name(200, 'n');
  exclude({{ExclusionKind::file, directory_ / name}});
  const Kinds kinds = seen([&](Self&) {
    mkdir((directory_ / name).c_str(), 0700);
    mkdir((directory_ / (name + "n")).c_str(), 0700);
    mkdir((directory_ / name.substr(1)).c_str(), 0700);
    rmdir((directory_ / name).c_str());
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir"}));
}

TEST_F(PathExclusions, TwoNamesMustBothBeExcluded) {
  exclude_folder("quiet");
  const auto make = [&](const std::string& name) {
    close(static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, (directory_ / name).c_str(), O_CREAT | O_WRONLY, 0600)));
  };
  const Kinds kinds = seen([&](Self&) {
    make("quiet/a");
    make("quiet/b");
    rename((directory_ / "quiet/a").c_str(), (directory_ / "quiet/c").c_str());  // in the folder
    rename((directory_ / "quiet/c").c_str(), (directory_ / "loud/c").c_str());   // out of it
    rename((directory_ / "loud/c").c_str(), (directory_ / "quiet/d").c_str());   // into it
    link((directory_ / "quiet/b").c_str(), (directory_ / "quiet/b2").c_str());   // in it
    link((directory_ / "quiet/b").c_str(), (directory_ / "loud/b").c_str());     // out
    symlink("anything", (directory_ / "quiet/s").c_str());                       // one name of a file
    if (chdir((directory_ / "quiet").c_str()) != 0) _exit(1);
    rename("d", "e");          // relative, same directory
    rename("e", "../loud/e");  // leads out
  });
  EXPECT_EQ(kinds, (Kinds{"rename", "rename", "link", "rename"}));
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, RelativeNamesAreFollowedFromWhereTheyStart) {
  exclude_folder("quiet");
  const Kinds kinds = seen([&](Self&) {
    const int folder = open((directory_ / "quiet/sub").c_str(), O_RDONLY | O_DIRECTORY);  // excluded itself
    mkdirat(folder, "a", 0700);
    mkdirat(folder, "./b//", 0700);
    if (chdir(directory_.path().c_str()) != 0) _exit(1);
    mkdir("quiet/c", 0700);
    mkdir("./quiet/./d", 0700);
    mkdir("loud/e", 0700);
    mkdir("quiet/../loud/f", 0700);
    if (chdir("quiet/sub") != 0) _exit(1);
    mkdir("g", 0700);
    fchmod(folder, 0700);
    mkdir("../../loud/h", 0700);
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir", "mkdir"})) << "e, f and h";
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, WhatTakesCleaningUpIsLeftToTheUserSide) {
  exclude_folder("quiet");
  const Kinds kinds = seen([&](Self&) {
    mkdir((directory_ / "loud/../quiet/a").c_str(), 0700);
    mkdir((directory_ / "quiet/sub/../b").c_str(), 0700);
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir"}));
  EXPECT_EQ(left_to_user_, 2U);
}

TEST_F(PathExclusions, ASymbolicLinkIsANameOfItsOwn) {
  exclude_folder("quiet");
  fs::create_directory_symlink(directory_ / "quiet", directory_ / "loud/into");
  fs::create_directory_symlink(directory_ / "loud", directory_ / "quiet/out");
  const Kinds kinds = seen([&](Self&) {
    mkdir((directory_ / "loud/into/a").c_str(), 0700);  // the kernel works in quiet; the name says loud
    mkdir((directory_ / "quiet/out/b").c_str(), 0700);  // and the other way round
    if (chdir((directory_ / "loud/into").c_str()) != 0) _exit(1);
    mkdir("c", 0700);  // the cwd is where the link leads
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir"})) << "by name, as the user side has it";
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, ANewRootIsNotTheNamespaces) {
  // What looks excluded inside the new root is another file.
  fs::create_directories(directory_.path() + "/root" + (directory_ / "quiet"));
  exclude_folder("quiet");
  const Kinds kinds = seen([&](Self&) {
    if (chroot((directory_ / "root").c_str()) != 0 || chdir("/") != 0) _exit(1);
    mkdir((directory_ / "quiet/a").c_str(), 0700);
    if (chdir((directory_ / "quiet").c_str()) != 0) _exit(1);
    mkdir("b", 0700);
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir"}));
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, AMountNamespaceHasNamesOfItsOwn) {
  exclude_folder("quiet");
  const Kinds kinds = seen([&](Self&) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      _exit(1);
    if (mount((directory_ / "loud").c_str(), (directory_ / "quiet/sub").c_str(), nullptr, MS_BIND, nullptr) !=
        0)
      _exit(1);
    mkdir((directory_ / "quiet/sub/a").c_str(), 0700);  // by this name excluded, whatever lies there
    if (chdir((directory_ / "quiet/sub").c_str()) != 0) _exit(1);
    mkdir("b", 0700);  // the walk crosses the mount
    if (chdir((directory_ / "loud").c_str()) != 0) _exit(1);
    mkdir("c", 0700);
  });
  EXPECT_EQ(kinds, (Kinds{"mount", "mount", "mkdir"}));
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, ANameThatIsNotKnownIsSeen) {
  exclude_folder("quiet");
  const Kinds kinds = seen([&](Self&) {
    if (chdir((directory_ / "quiet").c_str()) != 0) _exit(1);
    syscall(SYS_mkdir, 1, 0700);  // EFAULT
    mkdir(std::string(4096, 'x').c_str(), 0700);
    mkdirat(-1, "a", 0700);  // EBADF
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir", "mkdir", "mkdir"}));
  EXPECT_EQ(left_to_user_, 0U);
}

TEST_F(PathExclusions, OtherEventsOnThatNameStay) {
  exclude({{ExclusionKind::folder, directory_ / "quiet"}, {ExclusionKind::file, directory_ / "quiet/tool"}});
  fs::copy_file("/bin/true", directory_ / "quiet/tool");
  const Kinds kinds = seen([&](Self&) {
    if (fork() == 0) {
      execl((directory_ / "quiet/tool").c_str(), "tool", nullptr);
      _exit(1);
    }
    wait(nullptr);
  });
  EXPECT_EQ(kinds, (Kinds{"exec"})) << "running a file is no file event";
}

TEST_F(PathExclusions, ChangesTakeEffectAtOnceAndWhole) {
  // Two folders take turns at being excluded: at no time both are, and at no time none.
  const std::string first = directory_ / "quiet", second = directory_ / "loud";
  exclude({{ExclusionKind::folder, first}});
  std::thread changer([&] {
    for (int i = 0; i < 50; ++i) {
      exclude({{ExclusionKind::folder, i % 2 == 0 ? second : first}});
    }
  });
  constexpr int kTurns = 20'000;
  const std::uint64_t lost_before = lost(sensor_->provider());
  const Events events = sensor_->observe([&](Self&) {
    for (int i = 0; i < kTurns; ++i) {
      // One rename across both: never both excluded, so always seen.
      rename((first + "/x").c_str(), (second + "/x").c_str());
    }
  });
  changer.join();
  // A preemptible kernel that takes the CPU from a change in the middle of its bpf(2) call skips programs
  // there until it goes on (bpf_prog_active, kernel/trace/bpf_trace.c), and counts that.
  const std::size_t seen = all_of(events, EventKind::rename).size();
  EXPECT_LE(seen, static_cast<std::size_t>(kTurns));
  EXPECT_GE(seen + lost(sensor_->provider()) - lost_before, static_cast<std::size_t>(kTurns));
}

/// Random names, from random places, under random entries: kernel and user side together must leave exactly
/// what the user side alone would leave.
TEST_F(PathExclusions, NothingIsKeptBackThatTheUserSideWouldShow) {
  std::mt19937 random(20261121);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const std::vector<std::string> plain = {"quiet", "sub", "loud", "quiet2", "x"};
  const std::vector<std::string> parts = {"quiet",
                                          "quiet",
                                          "quiet",
                                          "sub",
                                          "sub",
                                          "loud",
                                          "loud",
                                          "quiet2",
                                          "x",
                                          ".",
                                          "..",
                                          "",
                                          std::string(60, 'n')};
  const std::vector<std::string> starts = {directory_.path(), directory_ / "quiet", directory_ / "quiet/sub",
                                           directory_ / "loud"};
  const auto name = [&](std::size_t longest, const std::vector<std::string>& from) {
    std::string text = pick(from);
    for (std::size_t more = random() % longest; more > 0; --more) text += "/" + pick(from);
    return text;
  };
  std::size_t excluded = 0, by_kernel = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Exclusion> entries;
    for (std::size_t count = random() % 4; count > 0; --count) {
      const auto kind = random() % 2 == 0 ? ExclusionKind::folder : ExclusionKind::file;
      entries.push_back({kind, directory_ / name(2, plain)});
    }
    struct Call {
      std::string start, first, second;
    };
    std::vector<Call> calls;
    for (int i = 0; i < 50; ++i) {
      const auto text = [&] { return random() % 3 == 0 ? directory_ / name(4, parts) : name(4, parts); };
      calls.push_back({pick(starts), text(), text()});
    }
    // Both fail on directories and on what is not there, so that every round finds the same tree.
    const auto work = [&](Self&) {
      for (const Call& call : calls) {
        if (chdir(call.start.c_str()) != 0) _exit(1);
        syscall(SYS_unlink, call.first.c_str());
        syscall(SYS_link, call.first.c_str(), call.second.c_str());
      }
    };
    std::size_t left = 0;  // for the user side to keep back
    const auto told = [&](const EventFilter& filter) {
      left = 0;
      std::vector<std::string> lines;
      for (const OwnedEvent& event : sensor_->observe(work)) {
        if (event->kind != EventKind::unlink && event->kind != EventKind::link) continue;
        if (filter.excluded(*event)) {
          ++left;
          continue;
        }
        lines.push_back(std::string(kind_name(event->kind)) + " " + std::string(event->path.text) + " " +
                        std::string(event->second_path.text));
      }
      return lines;
    };
    const Exclusions filter(entries);
    exclude({});
    const auto by_user_side = told(filter);
    const std::size_t all = left;
    exclude(entries);
    const auto by_both = told(filter);
    excluded += all;
    by_kernel += all - left;
    std::string text;
    for (const Exclusion& entry : entries)
      text += std::string(exclusion_kind_name(entry.kind)) + " " + entry.path + "\n";
    ASSERT_EQ(by_both, by_user_side) << text;
  }
  // Names with a ".." are left to the user side.
  EXPECT_GT(by_kernel, excluded / 2) << "of " << excluded << ": the kernel side hardly ever decided";
  EXPECT_LT(by_kernel, excluded) << "the names were too easy";
}

TEST_F(PathExclusions, TensOfThousandsOfEntries) {
  std::vector<Exclusion> many;
  for (int i = 0; i < 30'000; ++i)
    many.push_back({i % 2 == 0 ? ExclusionKind::folder : ExclusionKind::file,
                    "/srv/data/" + std::to_string(i % 100) + "/" + std::to_string(i)});
  many.push_back({ExclusionKind::folder, directory_ / "quiet"});
  exclude(many);
  const Kinds kinds = seen([&](Self&) {
    mkdir((directory_ / "quiet/a").c_str(), 0700);
    mkdir((directory_ / "loud/a").c_str(), 0700);
    mkdir("/srv/data/2/2/deeper", 0700);  // ENOENT, by name excluded
  });
  EXPECT_EQ(kinds, (Kinds{"mkdir"}));
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
