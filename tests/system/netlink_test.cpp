// SPDX-License-Identifier: Apache-2.0
// The netlink provider against the running kernel: what it reports of real processes, field by field.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <thread>

#include "event_collector.h"
#include "sensor/netlink_provider.h"

namespace auditshift::sensor {
namespace {

class NetlinkTest : public testing::Test {
 protected:
  /// Skips the test, with the kernel's reason, where the process connector is out of reach.
  void start(NetlinkOptions options = {}) {
    provider_ = std::make_unique<NetlinkProvider>(*host_, clock_, options);
    if (const auto started = provider_->start(); !started.ok()) GTEST_SKIP() << started.error().message();
    // The first poll tells what runs.
    ASSERT_TRUE(provider_->poll(std::chrono::milliseconds(0), collector_).ok());
  }

  /// A child that waits to be let go, runs `work`, and exits with its result.
  pid_t spawn(const std::function<int()>& work) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(work());
    return pid;
  }

  /// The kernel numbers the messages per CPU: a gap shows with the next one of the same.
  void have_a_message_of_each_cpu() {
    cpu_set_t all;
    ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &all)) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
      ::waitpid(spawn([] { return 0; }), nullptr, 0);
      ASSERT_TRUE(provider_->poll(std::chrono::milliseconds(10), collector_).ok());
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof all, &all), 0);
  }

  base::Json wait_for(const char* kind, pid_t pid) {
    return collector_.wait_for(*provider_, [&](const base::Json& e) { return is_event(e, kind, pid); });
  }

  base::Result<base::Sysroot> host_ = base::Sysroot::open("/");
  base::SystemClock clock_;
  std::unique_ptr<NetlinkProvider> provider_;
  Collector collector_;
};

TEST_F(NetlinkTest, TellsAtTheStartWhatRuns) {
  start();
  if (IsSkipped()) return;
  const base::Json self = wait_for("running", ::getpid());
  ASSERT_FALSE(self.is_null());
  char exe[PATH_MAX] = {};
  ASSERT_GT(::readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
  EXPECT_EQ(self["process"]["exe"], exe);
  EXPECT_EQ(self["process"]["ppid"], ::getppid());
  EXPECT_EQ(self["process"]["uid"], ::getuid());
  EXPECT_FALSE(wait_for("running", 1).is_null());
}

TEST_F(NetlinkTest, TellsForkExecAndExitOfOneProcess) {
  start();
  if (IsSkipped()) return;
  const auto before = clock_.now().time_since_epoch().count();
  const auto boot_before = clock_.since_boot().count();
  const pid_t pid = spawn([] {
    ::execl("/bin/sh", "sh", "-c", "exit 7", static_cast<char*>(nullptr));
    return 126;
  });
  const base::Json exec = wait_for("exec", pid);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  const base::Json exit = wait_for("exit", pid);
  ASSERT_FALSE(exec.is_null());

  const base::Json fork = collector_.wait_for(*provider_, [&](const base::Json& e) {
    return is_event(e, "fork", ::getpid()) && e["target"].value("pid", 0L) == pid;
  });
  ASSERT_FALSE(fork.is_null());
  EXPECT_EQ(fork["process"]["ppid"], ::getppid());
  EXPECT_EQ(fork["target"]["tid"], pid);

  ASSERT_FALSE(exit.is_null());
  EXPECT_EQ(exit["exit_code"], 7);
  EXPECT_FALSE(exit.contains("exit_signal"));
  EXPECT_EQ(exit["process"]["start_ns"], fork["target"]["start_ns"]) << "one identity from fork to exit";
  EXPECT_EQ(exit["process"]["ppid"], ::getpid());
  const auto after = clock_.now().time_since_epoch().count();
  EXPECT_GE(exit["wall_ns"].get<std::int64_t>(), before);
  EXPECT_LE(exit["wall_ns"].get<std::int64_t>(), after);
  EXPECT_GE(exit["boot_ns"].get<std::int64_t>(), boot_before);
  EXPECT_LE(exit["boot_ns"].get<std::int64_t>(), clock_.since_boot().count());
  EXPECT_EQ(exec["process"]["start_ns"], fork["target"]["start_ns"]);
}

TEST_F(NetlinkTest, ReadsProgramArgumentsAndDirectoryOfALivingProcess) {
  start();
  if (IsSkipped()) return;
  const pid_t pid = spawn([] {
    if (::chdir("/usr") != 0) return 125;
    ::execl("/bin/sleep", "sleep", "30", static_cast<char*>(nullptr));
    return 126;
  });
  const base::Json exec = wait_for("exec", pid);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ASSERT_FALSE(exec.is_null());
  EXPECT_EQ(exec["argv"], base::Json::parse(R"(["sleep","30"])"));
  EXPECT_EQ(exec["cwd"]["text"], "/usr");
  EXPECT_EQ(exec["process"]["comm"], "sleep");
  char sleep_path[PATH_MAX] = {};
  ASSERT_NE(::realpath("/bin/sleep", sleep_path), nullptr);
  EXPECT_EQ(exec["process"]["exe"], sleep_path);
  EXPECT_EQ(exec["process"]["ppid"], ::getpid());
  EXPECT_EQ(exec["process"]["euid"], ::geteuid());
  EXPECT_EQ(exec["syscall"]["result"], 0);
  const base::Json exit = wait_for("exit", pid);
  ASSERT_FALSE(exit.is_null());
  EXPECT_EQ(exit["exit_signal"], SIGKILL);
  EXPECT_FALSE(exit.contains("exit_code"));
}

TEST_F(NetlinkTest, TellsCredentialsSessionAndName) {
  start();
  if (IsSkipped()) return;
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  const pid_t pid = spawn([&] {
    ::prctl(PR_SET_NAME, "as-marker");
    ::setsid();
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) return 1;
    char byte = 0;
    ::close(gate[1]);
    return static_cast<int>(::read(gate[0], &byte, 1));
  });
  const base::Json name = wait_for("name", pid);
  const base::Json session = wait_for("session", pid);
  const base::Json gid = wait_for("gid_change", pid);
  const base::Json uid = wait_for("uid_change", pid);
  ::close(gate[1]);
  ::close(gate[0]);
  ::waitpid(pid, nullptr, 0);
  if (::geteuid() != 0) GTEST_SKIP() << "changing ids needs root";
  ASSERT_FALSE(name.is_null());
  EXPECT_EQ(name["process"]["comm"], "as-marker");
  EXPECT_FALSE(session.is_null());
  ASSERT_FALSE(gid.is_null());
  EXPECT_EQ(gid["process"]["gid"], 65534);
  ASSERT_FALSE(uid.is_null());
  EXPECT_EQ(uid["process"]["uid"], 65534);
  EXPECT_EQ(uid["process"]["euid"], 65534);
  EXPECT_EQ(uid["owner_uid"], 65534);
}

TEST_F(NetlinkTest, TellsPtraceAndCoreDump) {
  start();
  if (IsSkipped()) return;
  const pid_t pid = spawn([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::raise(SIGSTOP);
    ::raise(SIGSEGV);
    return 0;
  });
  ::waitpid(pid, nullptr, WUNTRACED);
  ASSERT_EQ(::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr), 0);
  ::waitpid(pid, nullptr, 0);
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  ::kill(pid, SIGCONT);
  ::waitpid(pid, nullptr, 0);
  const base::Json traced = collector_.wait_for(*provider_, [&](const base::Json& e) {
    return is_event(e, "ptrace", ::getpid()) && e["target"].value("pid", 0L) == pid;
  });
  EXPECT_FALSE(traced.is_null());
  EXPECT_FALSE(wait_for("core_dump", pid).is_null());
  const base::Json exit = wait_for("exit", pid);
  ASSERT_FALSE(exit.is_null());
  EXPECT_EQ(exit["exit_signal"], SIGSEGV);
}

TEST_F(NetlinkTest, AProcessWithThreadsEndsOnce) {
  start();
  if (IsSkipped()) return;
  const pid_t pid = spawn([] {
    for (int i = 0; i < 20; ++i) std::thread([] {}).join();
    std::thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }).detach();
    return 4;
  });
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(wait_for("exit", pid)["exit_code"], 4);
  ASSERT_TRUE(provider_->poll(std::chrono::milliseconds(100), collector_).ok());
  const auto exits = std::count_if(collector_.events.begin(), collector_.events.end(),
                                   [&](const base::Json& e) { return is_event(e, "exit", pid); });
  EXPECT_EQ(exits, 1);
}

TEST_F(NetlinkTest, CountsEachLostMessageAndFindsItsWayBack) {
  NetlinkOptions options;
  options.receive_buffer_bytes = 16 << 10;
  start(options);
  if (IsSkipped()) return;
  ASSERT_NO_FATAL_FAILURE(have_a_message_of_each_cpu());  // a CPU's messages count from its first one on
  // Nobody reads meanwhile: each of these is a fork and an exit message at least.
  constexpr int kProcesses = 400;
  std::vector<pid_t> pids;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = spawn([] { return 0; });
    ::waitpid(pid, nullptr, 0);
    pids.push_back(pid);
  }
  const pid_t survivor = spawn([] {
    ::pause();
    return 0;
  });
  // The newcomer is told as running when the loss is found out, or by its own fork when that was not lost.
  const base::Json found = collector_.wait_for(*provider_, [&](const base::Json& e) {
    return is_event(e, "running", survivor) ||
           (is_event(e, "fork", ::getpid()) && e["target"].value("pid", 0L) == survivor);
  });
  EXPECT_FALSE(found.is_null());
  ::kill(survivor, SIGKILL);
  ::waitpid(survivor, nullptr, 0);
  EXPECT_FALSE(wait_for("exit", survivor).is_null());
  EXPECT_GT(provider_->overruns(), 0U);
  ASSERT_NO_FATAL_FAILURE(have_a_message_of_each_cpu());
  ASSERT_TRUE(provider_->poll(std::chrono::milliseconds(100), collector_).ok());
  std::size_t seen = 0;
  for (const base::Json& event : collector_.events) {
    const bool fork = is_event(event, "fork", ::getpid());
    const bool exit = event["kind"] == "exit" && event["process"].value("ppid", 0L) == ::getpid();
    if (fork && std::count(pids.begin(), pids.end(), event["target"]["pid"].get<pid_t>()) != 0) ++seen;
    if (exit && std::count(pids.begin(), pids.end(), event["process"]["pid"].get<pid_t>()) != 0) ++seen;
  }
  const std::uint64_t lost = provider_->drops()[0].count;
  EXPECT_GT(lost, 0U);
  EXPECT_GE(seen + lost, 2U * kProcesses)
      << "each message was seen or counted; seen " << seen << ", lost " << lost;
}

}  // namespace
}  // namespace auditshift::sensor
