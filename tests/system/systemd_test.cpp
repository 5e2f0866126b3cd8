// SPDX-License-Identifier: Apache-2.0
// Services and boots against the real systemd and logind: in a container that systemd boots, made of a copy
// of this machine in memory. Nothing is said to the systemd that may run this machine itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/process.h"
#include "base/sysroot.h"
#include "migrate/outside/systemd_boot.h"
#include "migrate/outside/systemd_services.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;

/// Why there is no container; nothing within it.
std::string obstacle;

constexpr const char* kUnit = "auditshift-test.service";
constexpr const char* kInside = "--inside";
constexpr const char* kReboot = "--reboot";
constexpr const char* kProgram = "/usr/local/bin/auditshift-systemd-test";
constexpr const char* kResumeUnit = "auditshift-resume.service";
constexpr const char* kTestUnit = "auditshift-systemd-test.service";
constexpr const char* kRebootUnit = "auditshift-reboot-test.service";

std::shared_ptr<const base::Sysroot> live() {
  return std::make_shared<const base::Sysroot>(*base::Sysroot::open("/"));
}

class RealSystemd : public testing::Test {
 protected:
  void SetUp() override {
    if (!obstacle.empty()) GTEST_SKIP() << "no container with systemd: " << obstacle;
    ASSERT_TRUE(services_.running());
  }

  void write_unit(const std::string& command) {
    std::ofstream(std::string("/etc/systemd/system/") + kUnit)
        << "[Service]\nExecStart=" << command << "\n[Install]\nWantedBy=multi-user.target\n";
    const auto reloaded = services_.reload();
    ASSERT_TRUE(reloaded.ok()) << reloaded.error().message();
  }
  UnitState state(const std::string& unit = kUnit) {
    const auto state = services_.state(unit);
    EXPECT_TRUE(state.ok()) << state.error().message();
    return state.ok() ? *state : UnitState();
  }

  std::shared_ptr<base::ProcessRunner> processes_ = std::make_shared<base::SystemProcessRunner>();
  std::shared_ptr<base::SystemClock> clock_ = std::make_shared<base::SystemClock>();
  SystemdServices services_{live(), processes_};
  SystemdBoot boot_{live(), processes_, clock_};
};

TEST_F(RealSystemd, StartsStopsEnablesAndDisables) {
  write_unit("/bin/sleep infinity");
  EXPECT_TRUE(state().loaded);
  EXPECT_FALSE(state().active);
  EXPECT_EQ(state().enabled, Enabled::no);
  ASSERT_TRUE(services_.start(kUnit).ok());
  EXPECT_TRUE(state().active);
  EXPECT_EQ(state().description, "active (running)");
  ASSERT_TRUE(services_.restart(kUnit).ok());
  EXPECT_TRUE(state().active);
  ASSERT_TRUE(services_.enable(kUnit).ok());
  EXPECT_EQ(state().enabled, Enabled::yes);
  ASSERT_TRUE(services_.disable(kUnit).ok());
  EXPECT_EQ(state().enabled, Enabled::no);
  ASSERT_TRUE(services_.stop(kUnit).ok());
  EXPECT_FALSE(state().active);
}

TEST_F(RealSystemd, TellsMaskedStaticFailedAndAbsentUnits) {
  EXPECT_EQ(state("systemd-logind.service").enabled, Enabled::yes)
      << "static, but multi-user.target wants it";
  const UnitState absent = state("no-such-unit.service");
  EXPECT_FALSE(absent.loaded);
  EXPECT_EQ(absent.enabled, Enabled::absent);
  const auto missing = services_.start("no-such-unit.service");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), base::Errc::not_found) << missing.error().message();

  std::ofstream(std::string("/etc/systemd/system/") + kUnit)
      << "[Service]\nType=oneshot\nExecStart=/bin/false\n";
  ASSERT_TRUE(services_.reload().ok());
  const auto failed = services_.start(kUnit);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message(), testing::HasSubstr(std::string("cannot start ") + kUnit));
  EXPECT_TRUE(state().failed);

  std::filesystem::remove(std::string("/etc/systemd/system/") + kUnit);
  std::filesystem::create_symlink("/dev/null", std::string("/etc/systemd/system/") + kUnit);
  ASSERT_TRUE(services_.reload().ok());
  EXPECT_EQ(state().enabled, Enabled::masked);
  std::filesystem::remove(std::string("/etc/systemd/system/") + kUnit);
}

TEST_F(RealSystemd, SchedulesReplacesAndCancelsAReboot) {
  EXPECT_THAT(boot_.boot_id().value(), testing::SizeIs(36));
  EXPECT_EQ(boot_.scheduled().value(), std::nullopt);
  for (const auto wait : {5h, 3h}) {
    const auto at = std::chrono::floor<std::chrono::seconds>(clock_->now() + wait);
    const auto scheduled = boot_.schedule(at, "auditshift: \"quoted\" and – a dash");
    ASSERT_TRUE(scheduled.ok()) << scheduled.error().message();
    const auto seen = boot_.scheduled().value();
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(seen->kind, "reboot");
    EXPECT_EQ(seen->at, at);
    const auto file = live()->read_file("/run/systemd/shutdown/scheduled");
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(parse_scheduled_file(*file).value()->at, at);
    EXPECT_THAT(*file, testing::HasSubstr("WALL_MESSAGE=auditshift"));
  }
  ASSERT_TRUE(boot_.cancel().ok());
  EXPECT_EQ(boot_.scheduled().value(), std::nullopt);
  EXPECT_TRUE(boot_.cancel().ok()) << "nothing to cancel is no error";
}

TEST_F(RealSystemd, RespectsWhoBlocksAReboot) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/usr/bin/systemd-inhibit", "systemd-inhibit", "--what=sleep:shutdown", "--mode=block",
            "--who=nightly \"backup\"", "--why=a copy\nis under way", "/bin/sleep", "60", nullptr);
    ::_exit(127);
  }
  std::vector<Inhibitor> holding;
  for (int tries = 0; tries < 100 && holding.empty(); ++tries) {
    holding = boot_.inhibitors().value();
    std::this_thread::sleep_for(50ms);
  }
  ASSERT_EQ(holding.size(), 1U);
  EXPECT_EQ(holding[0].who, "nightly \"backup\"");
  EXPECT_EQ(holding[0].why, "a copy\nis under way");
  EXPECT_EQ(holding[0].mode, "block");
  const auto refused = boot_.schedule(clock_->now() + 2h, "no");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::busy);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("nightly"));
  EXPECT_EQ(boot_.scheduled().value(), std::nullopt);
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  for (int tries = 0; tries < 100 && !boot_.inhibitors().value().empty(); ++tries)
    std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(boot_.schedule(clock_->now() + 2h, "yes").ok());
  EXPECT_TRUE(boot_.cancel().ok());
}

TEST_F(RealSystemd, ResumesOnlyWhereTheMarkerIs) {
  const std::string marker = "/var/lib/auditshift/resume-at-boot";
  std::filesystem::create_directories("/var/lib/auditshift");
  std::ofstream("/usr/bin/auditshift") << "#!/bin/sh\nrm " << marker << "\necho \"$@\" >> /resumed\n";
  std::filesystem::permissions("/usr/bin/auditshift", std::filesystem::perms::owner_all);
  ASSERT_TRUE(services_.start(kResumeUnit).ok());
  EXPECT_FALSE(std::filesystem::exists("/resumed"));
  std::ofstream(marker).flush();
  ASSERT_TRUE(services_.start(kResumeUnit).ok());
  EXPECT_EQ(live()->read_file("/resumed").value(), "resume --wait\n");
  EXPECT_FALSE(std::filesystem::exists(marker));
  EXPECT_EQ(state(kResumeUnit).enabled, Enabled::yes) << "static, but linked to multi-user.target";
  base::Command verify;
  verify.argv = {"systemd-analyze", "verify", "--man=no", std::string("/etc/systemd/system/") + kResumeUnit};
  const auto verified = processes_->run(verify);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(verified->success());
  EXPECT_EQ(verified->errors, "");
}

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

/// A copy of this machine's files below `place`, made for a container: none of its services, and one that
/// runs this program.
std::string build_container(const std::string& place) {
  namespace fs = std::filesystem;
  if (::geteuid() != 0) return "needs root";
  if (::access("/usr/bin/systemd-nspawn", X_OK) != 0) return "systemd-nspawn is not installed (./dev setup)";
  if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private mounts");
  if (::mount("container", place.c_str(), "tmpfs", 0, "size=1g") != 0) return failed("tmpfs");
  const std::string root = place + "/auditshift";
  for (const std::string& directory : {place + "/upper", place + "/work", root})
    fs::create_directory(directory);
  const std::string layers = "lowerdir=/,upperdir=" + place + "/upper,workdir=" + place + "/work";
  if (::mount("overlay", root.c_str(), "overlay", 0, layers.c_str()) != 0) return failed("overlay");
  const std::string units = root + "/etc/systemd/system";
  fs::remove_all(units);
  fs::create_directories(units + "/multi-user.target.wants");
  fs::create_symlink("/dev/null", units + "/auditd.service");
  std::ofstream(root + "/etc/machine-id").flush();
  fs::copy_file(std::string(AUDITSHIFT_SOURCE_DIR) + "/packaging/systemd/" + kResumeUnit,
                units + "/" + kResumeUnit);
  // As the package does.
  fs::create_symlink(std::string("../") + kResumeUnit, units + "/multi-user.target.wants/" + kResumeUnit);
  fs::copy_file("/proc/self/exe", root + kProgram, fs::copy_options::overwrite_existing);
  const std::string wants =
      "[Unit]\nWants=dbus.service systemd-logind.service\nAfter=dbus.service systemd-logind.service\n";
  std::ofstream(units + "/" + kTestUnit)
      << wants
      << "[Service]\nType=oneshot\nStandardOutput=file:/result\nStandardError=inherit\nExecStart=" << kProgram
      << " " << kInside << "\nExecStopPost=/bin/sh -c 'systemctl --no-block exit $$EXIT_STATUS'\n";
  std::ofstream(units + "/" + kRebootUnit)
      << wants << "[Service]\nStandardOutput=file:/reboot\nStandardError=inherit\nExecStart=" << kProgram
      << " " << kReboot
      << "\nExecStopPost=/bin/sh -c 'test $$EXIT_CODE = killed || systemctl --no-block exit 1'\n";
  return {};
}

base::Result<base::Completed> boot_container(const std::string& root, const std::string& unit) {
  base::SystemProcessRunner runner;
  base::Command command;
  command.argv = {
      "systemd-nspawn",    "--quiet",        "--register=no",       "--keep-unit",         "--boot",
      "--private-network", "--console=pipe", "--directory=" + root, "systemd.unit=" + unit};
  command.timeout = 3min;
  return runner.run(command);
}

int run_in_container(const std::string& place) {
  const std::string root = place + "/auditshift";
  const auto done = boot_container(root, kTestUnit);
  std::ifstream result(root + "/result");
  if (!result) {
    obstacle = done ? "it did not boot: " + done->errors + done->output : done.error().message();
    return RUN_ALL_TESTS();
  }
  std::cout << result.rdbuf() << std::flush;
  if (!done || done->exit_code != 0) return 1;

  constexpr int kRebooted = 133;  // systemd-nspawn(1): with --keep-unit it leaves the reboot to its caller
  const auto rebooted = boot_container(root, kRebootUnit);
  const bool well = rebooted && rebooted->exit_code == kRebooted;
  std::cout << (well ? "a reboot that was scheduled happened\n" : "FAILED: no reboot: ");
  if (!well)
    std::cout << (rebooted ? rebooted->errors + rebooted->output : rebooted.error().message()) << "\n";
  return well ? 0 : 1;
}

/// Within the container: asks for a reboot and waits for it. Comes back only if there was none.
int reboot_container() {
  const auto clock = std::make_shared<base::SystemClock>();
  SystemdBoot boot(live(), std::make_shared<base::SystemProcessRunner>(), clock);
  const auto scheduled = boot.schedule(clock->now() + 1s, "auditshift: a test");
  if (!scheduled) std::cout << scheduled.error().message() << std::endl;
  if (scheduled) std::this_thread::sleep_for(1min);
  return 1;
}

}  // namespace
}  // namespace auditshift::migrate::outside

int main(int argc, char** argv) {
  using namespace auditshift::migrate::outside;
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::string(argv[1]) == kInside) return RUN_ALL_TESTS();
  if (argc > 1 && std::string(argv[1]) == kReboot) return reboot_container();
  std::string place = "/tmp/auditshift-container-XXXXXX";
  if (::mkdtemp(place.data()) == nullptr) return 1;
  obstacle = build_container(place);
  const int code = obstacle.empty() ? run_in_container(place) : RUN_ALL_TESTS();
  ::umount2((place + "/auditshift").c_str(), MNT_DETACH);
  ::umount2(place.c_str(), MNT_DETACH);
  ::rmdir(place.c_str());
  return code;
}
