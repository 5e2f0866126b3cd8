// SPDX-License-Identifier: Apache-2.0
// A real other user against the files that root's processes touch: links in their way, places of their own,
// races.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "sensor/control_server.h"
#include "sensor_process.h"
#include "tests/system/tool.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::testing {
namespace {

using namespace std::chrono_literals;
using sensor::SensorProcess;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using tests::TemporaryTree;

constexpr uid_t kStranger = 65534;  // nobody

/// A process of another user that does something over and over until this ends.
class Stranger {
 public:
  explicit Stranger(const std::function<void()>& act) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::setresgid(kStranger, kStranger, kStranger) != 0 ||
        ::setresuid(kStranger, kStranger, kStranger) != 0)
      ::_exit(1);
    while (true) act();
  }
  ~Stranger() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

 private:
  pid_t pid_ = -1;
};

/// Does something once as another user; whether it could.
bool as_stranger(const std::function<bool()>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setresgid(kStranger, kStranger, kStranger) != 0 ||
        ::setresuid(kStranger, kStranger, kStranger) != 0)
      ::_exit(2);
    ::_exit(act() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Attacks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root and another user";
    ASSERT_EQ(::chmod(tree_.root().c_str(), 0755), 0);
    tree_.directory("/place");
    tree_.file("/victim", kUntouched);
    ASSERT_EQ(::chmod(victim_.c_str(), 0640), 0);
  }
  void TearDown() override {
    if (::geteuid() != 0) return;
    EXPECT_EQ(tree_.read("/victim"), kUntouched);
    struct stat info {};
    ASSERT_EQ(::stat(victim_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640U);
    EXPECT_EQ(info.st_uid, 0U);
  }
  void place_belongs_to(uid_t uid, mode_t mode) const {
    ASSERT_EQ(::chown(tree_.real("/place").c_str(), uid, uid), 0);
    ASSERT_EQ(::chmod(tree_.real("/place").c_str(), mode), 0);
  }

  static constexpr const char* kUntouched = "not to be touched";
  TemporaryTree tree_;
  std::string victim_ = tree_.real("/victim");
  std::string target_ = tree_.real("/place/file");
};

using SensorOutput = Attacks;
using Results = Attacks;

TEST_F(SensorOutput, IsNoLinkAndNoFileOfAnotherUser) {
  place_belongs_to(0, 01777);
  SensorProcess sensor;
  sensor.set_output(target_);
  const std::vector<std::string> netlink = {"--provider", "netlink"};

  ASSERT_TRUE(as_stranger([&] { return ::symlink(victim_.c_str(), target_.c_str()) == 0; }));
  EXPECT_FALSE(sensor.start(netlink));
  // The second from the kernel itself, where fs.protected_symlinks is on.
  EXPECT_THAT(sensor.log(),
              AnyOf(HasSubstr("Too many levels of symbolic links"), HasSubstr("Permission denied")));
  std::filesystem::remove(target_);

  // The kernel keeps others from making this link, where fs.protected_hardlinks is on.
  std::filesystem::create_hard_link(victim_, target_);
  EXPECT_FALSE(sensor.start(netlink));
  EXPECT_THAT(sensor.log(), HasSubstr("has other names (hard links)"));
  std::filesystem::remove(target_);

  // Whoever made it could have it open and read all events.
  ASSERT_TRUE(as_stranger([&] { return ::close(::open(target_.c_str(), O_WRONLY | O_CREAT, 0666)) == 0; }));
  EXPECT_FALSE(sensor.start(netlink));
  EXPECT_THAT(sensor.log(), HasSubstr("belongs to user 65534"));
}

TEST_F(SensorOutput, LiesInNoDirectoryOfAnotherUser) {
  SensorProcess sensor;
  sensor.set_output(target_);
  for (const auto& [uid, mode] : {std::pair<uid_t, mode_t>{kStranger, 0755}, {0, 0777}}) {
    place_belongs_to(uid, mode);
    EXPECT_FALSE(sensor.start({"--provider", "netlink"}));
    EXPECT_THAT(sensor.log(), HasSubstr("other users may replace files in this directory"));
    EXPECT_FALSE(std::filesystem::exists(target_));
  }
}

TEST_F(SensorOutput, RotationTouchesNothingElse) {
  place_belongs_to(0, 01777);
  // The next name is taken: by a link that leads elsewhere. Rotation replaces names and writes through none.
  ASSERT_TRUE(as_stranger([&] { return ::symlink(victim_.c_str(), (target_ + ".1").c_str()) == 0; }));
  SensorProcess sensor;
  sensor.set_output(target_);
  ASSERT_TRUE(sensor.start({"--provider", "netlink", "--rotate-size", "20000"})) << sensor.log();
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!std::filesystem::exists(target_ + ".3") && std::chrono::steady_clock::now() < deadline)
    sensor::run_program({"/bin/true"});
  EXPECT_TRUE(std::filesystem::exists(target_ + ".3"));
  EXPECT_EQ(sensor.stop(SIGTERM), 0);
}

TEST_F(Results, WrittenWhileAnotherUserPutsLinksThere) {
  for (const auto& [uid, mode] : {std::pair<uid_t, mode_t>{0, 01777}, {kStranger, 0755}}) {
    place_belongs_to(uid, mode);
    const Stranger stranger([&] {
      (void)!::symlink(victim_.c_str(), target_.c_str());
      ::unlink(target_.c_str());
      ::close(::open(target_.c_str(), O_WRONLY | O_CREAT, 0666));
      ::unlink(target_.c_str());
    });
    int written = 0;
    for (int i = 0; i < 30; ++i) {
      const Outcome done =
          run_tool({"-q", "assess", "--root", AUDITSHIFT_FIXTURES "/hosts/rhel-8.1-sap", "-o", target_});
      written += done.exit_code != 1;  // what was assessed decides
      EXPECT_TRUE(done.exit_code != 1 || done.err.find("symbolic link") != std::string::npos) << done.err;
    }
    EXPECT_GT(written, 0) << "the race was never won by root";
  }
}

TEST_F(Results, APrivateOneIsPrivateWhateverWasThere) {
  place_belongs_to(0, 01777);
  ASSERT_TRUE(as_stranger([&] {
    const int fd = ::open(target_.c_str(), O_WRONLY | O_CREAT, 0666);
    return ::fchmod(fd, 0666) == 0;
  }));
  const Outcome done =
      run_tool({"-q", "collect", "--root", AUDITSHIFT_FIXTURES "/hosts/rhel-8.1-sap", "-o", target_});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  struct stat info {};
  ASSERT_EQ(::stat(target_.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(Attacks, TheSocketIsForRootAndNobodyElseIsAsked) {
  SensorProcess sensor;
  const std::string home = std::filesystem::path(sensor.socket()).parent_path();
  ASSERT_EQ(::chmod(home.c_str(), 0755), 0);
  ASSERT_TRUE(sensor.start({"--provider", "netlink"})) << sensor.log();
  const auto connects = [&] {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, sensor.socket().data(), sensor.socket().size());
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  };
  EXPECT_FALSE(as_stranger(connects)) << "mode 0600";
  ASSERT_EQ(::chmod(sensor.socket().c_str(), 0666), 0);
  EXPECT_TRUE(as_stranger(connects));
  EXPECT_FALSE(as_stranger([&] {
    return sensor::ask_sensor(sensor.socket(), {{"request", "health"}}, 5s).ok();
  })) << "whatever the mode";
  EXPECT_EQ(sensor.stop(SIGTERM), 0);

  // Another user's process in its place is told from it.
  place_belongs_to(kStranger, 0755);
  const std::string fake = tree_.real("/place/socket");
  const Stranger stranger([&] {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, fake.data(), fake.size());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) ::listen(fd, 8);
    ::pause();
  });
  for (int i = 0; i < 500 && !std::filesystem::exists(fake); ++i) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(100ms);
  const Outcome asked = run_tool({"health", "--socket", fake});
  EXPECT_EQ(asked.exit_code, 1);
  EXPECT_THAT(asked.err, HasSubstr("user 65534 listens there, which is not the sensor"));
}

TEST_F(Attacks, AManagedFileThatOthersMayWriteHidesNothing) {
  SensorProcess sensor;
  std::ofstream(sensor.file("managed.json"))
      << R"({"exclusionSettings": {"exclusions": [{"$type": "excludedPath",
    "isDirectory": true, "path": "/srv", "scopes": ["global"]}]}})";
  ASSERT_EQ(::chmod(sensor.file("managed.json").c_str(), 0666), 0);
  ASSERT_TRUE(sensor.start({"--provider", "netlink"})) << sensor.log();
  const base::Json health = sensor.ask({{"request", "health"}});
  EXPECT_EQ(health["exclusions"], 0);
  EXPECT_EQ(health["healthy"], false);
  EXPECT_THAT(health["health_issues"].dump(), HasSubstr("other users may change this file"));
  EXPECT_EQ(sensor.stop(SIGTERM), 0);
}

TEST_F(Attacks, PinsOfAnotherUserAreNotTakenForTheSensors) {
  if (const std::string reason = sensor::obstacle("ebpf"); !reason.empty()) GTEST_SKIP() << reason;
  SensorProcess sensor;
  const std::string pins = sensor.file("bpf");
  std::filesystem::create_directory(pins);
  ASSERT_EQ(::chmod(std::filesystem::path(pins).parent_path().c_str(), 0755), 0);
  ASSERT_EQ(::mount("bpf", pins.c_str(), "bpf", 0, "mode=1777"), 0) << std::strerror(errno);
  EXPECT_TRUE(as_stranger([&] { return ::mkdir((pins + "/sensor").c_str(), 0777) == 0; }));
  sensor.set_pins(pins + "/sensor");
  const bool started = sensor.start({"--provider", "ebpf"});
  struct stat info {};
  const bool there = ::stat((pins + "/sensor").c_str(), &info) == 0;
  const int stopped = started ? sensor.stop(SIGTERM) : -1;
  ::umount2(pins.c_str(), MNT_DETACH);
  EXPECT_TRUE(started) << sensor.log();
  EXPECT_TRUE(there);
  EXPECT_EQ(info.st_uid, 0U) << "replaced by its own";
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  EXPECT_EQ(stopped, 0);
}

}  // namespace
}  // namespace auditshift::testing
