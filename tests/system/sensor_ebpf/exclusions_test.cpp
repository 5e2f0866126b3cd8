// SPDX-License-Identifier: Apache-2.0
// Excluded executables: what they do is not seen, from the moment they are excluded until they no longer are.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "sensor/exclusions.h"
#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

class Exclusions : public SensorSuite<Everything> {
 protected:
  void SetUp() override {
    SKIP_ON_LEGACY("the daemon does what is excluded");
    SensorSuite::SetUp();
  }
  void TearDown() override {
    if (sensor_ && !is_legacy()) {
      EXPECT_TRUE(sensor_->core().set_exclusions({}).ok());
    }
    SensorSuite::TearDown();
  }
  /// A shell of its own path.
  std::string make_shell(const std::string& name) {
    const std::string path = directory_ / name;
    std::filesystem::copy_file(std::filesystem::canonical("/bin/sh"), path);
    return path;
  }
  void exclude(const std::string& path, bool with_children = false) {
    const KernelExclusion exclusion{path, AS_NODE_PROCESS | (with_children ? AS_NODE_CHILDREN : 0U)};
    const auto done = sensor_->core().set_exclusions({&exclusion, 1});
    EXPECT_TRUE(done.ok()) << done.error().message();
  }
  /// Runs a shell script in a child of its own.
  Events run(const std::string& shell, const std::string& script) {
    return sensor_->observe([&](Self&) {
      if (fork() == 0) {
        execl(shell.c_str(), "sh", "-c", script.c_str(), nullptr);
        _exit(1);
      }
      wait(nullptr);
    });
  }
  static std::size_t count_by(const Events& events, std::string_view executable) {
    std::size_t count = 0;
    for (const OwnedEvent& event : events) count += event->process.executable.text == executable ? 1U : 0U;
    return count;
  }
};

TEST_F(Exclusions, AnExcludedExecutableIsNotSeenAndOthersAre) {
  const std::string quiet = make_shell("quiet"), loud = make_shell("loud");
  exclude(quiet);
  const std::uint64_t before = sensor_->core().excluded();
  const std::string script = ": >" + directory_.path() + "/made; exit 3";
  EXPECT_EQ(count_by(run(quiet, script), quiet), 0U);
  EXPECT_GE(sensor_->core().excluded(), before + 3) << "exec, create and exit are counted";
  EXPECT_EQ(count_by(run(loud, script), loud), 3U) << "exec, open and exit";
}

TEST_F(Exclusions, ChildrenAreSeenUnlessAskedFor) {
  const std::string quiet = make_shell("quiet"), other = make_shell("other");
  const std::string script = other + " -c ': >" + directory_.path() + "/made'; true";
  exclude(quiet);
  EXPECT_EQ(count_by(run(quiet, script), other), 3U) << "exec, create, exit of the child";
  exclude(quiet, true);
  const Events events = run(quiet, script);
  EXPECT_EQ(count_by(events, other), 0U) << describe(events);
  EXPECT_EQ(count_by(events, quiet), 0U) << describe(events);
}

TEST_F(Exclusions, TheSamePathBelowANewRootIsAnotherProgram) {
  const std::string quiet = make_shell("quiet"), loud = make_shell("loud"), root = directory_ / "root";
  std::filesystem::create_directory(root);
  exclude(quiet);
  const Events events = sensor_->observe([&](Self&) {
    // All of the host below the new root, but for the excluded program.
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("/", root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0 ||
        mount(loud.c_str(), (root + quiet).c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        chroot(root.c_str()) != 0 || chdir("/") != 0)
      _exit(1);
    if (fork() == 0) {
      execl(quiet.c_str(), "sh", "-c", (": >" + directory_.path() + "/made; exit 3").c_str(), nullptr);
      _exit(1);
    }
    wait(nullptr);
  });
  EXPECT_EQ(count_by(events, quiet), 3U) << "exec, create and exit: " << describe(events);
  const Event& exec = only(events, EventKind::exec);
  EXPECT_TRUE(exec.process.executable.chroot_relative);
  EXPECT_FALSE(sensor::Exclusions({{ExclusionKind::process, quiet}}).excluded(exec))
      << "nor by the user side";
}

TEST_F(Exclusions, TakeEffectWhileAProcessRuns) {
  // The test's own executable: the child has been running since before it is excluded.
  const std::string self = std::filesystem::canonical("/proc/self/exe");
  int go[2], done[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(done), 0);
  const auto step = [&](const char* name) {
    char byte = 0;
    if (read(go[0], &byte, 1) != 1) _exit(1);
    mkdir((directory_ / name).c_str(), 0700);
    if (write(done[1], &byte, 1) != 1) _exit(1);
  };
  const auto let_go = [&] {
    char byte = 0;
    if (write(go[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1) ADD_FAILURE();
  };
  std::thread conductor([&] {
    let_go();
    exclude(self);
    let_go();
    exclude("/nonesuch");
    let_go();
  });
  const Events events = sensor_->observe([&](Self&) {
    step("seen");
    step("unseen");
    step("seen again");
  });
  conductor.join();
  for (const int fd : {go[0], go[1], done[0], done[1]}) close(fd);
  const auto made = all_of(events, EventKind::mkdir);
  ASSERT_EQ(made.size(), 2U) << describe(events);
  EXPECT_EQ(made[0]->path.text, directory_ / "seen");
  EXPECT_EQ(made[1]->path.text, directory_ / "seen again");
}

TEST_F(Exclusions, ThereMayBeTensOfThousands) {
  std::vector<KernelExclusion> many;
  for (int i = 0; i < 20'000; ++i)
    many.push_back({"/opt/vendor/bin/program-" + std::to_string(i), AS_NODE_PROCESS});
  ASSERT_TRUE(sensor_->core().set_exclusions(many).ok());
  const std::string loud = make_shell("loud");
  EXPECT_EQ(count_by(run(loud, "exit 0"), loud), 2U);
  many.push_back({loud, AS_NODE_PROCESS});
  ASSERT_TRUE(sensor_->core().set_exclusions(many).ok());
  EXPECT_EQ(count_by(run(loud, "exit 0"), loud), 0U);
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
