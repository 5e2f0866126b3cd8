// SPDX-License-Identifier: Apache-2.0
// The audit-stream provider against the running kernel: rules that watch this test's own children alone, real
// calls, and what comes of them. Audit is switched on for the test and back after it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <libaudit.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/process.h"
#include "base/text.h"
#include "event_collector.h"
#include "kernel_lock.h"
#include "sensor/audit_provider.h"

namespace auditshift::sensor {
namespace {

/// Rules for the calls of this process's children, for as long as it lives.
class AuditRules {
 public:
  AuditRules() {
    const int socket = ::audit_open();
    if (socket < 0) return;
    enabled_before_ = ::audit_is_enabled(socket);
    ::audit_close(socket);
    if (enabled_before_ == 0 || enabled_before_ == 1) usable_ = auditctl({"-e", "1"});
    if (!usable_) return;
    add({"-S", "execve,exit_group"});
    add({"-S", "rename,renameat,renameat2,unlinkat,openat,mkdir,symlink,link,chmod,connect,bind,ptrace"});
  }
  ~AuditRules() {
    for (std::vector<std::string> rule : rules_) {
      rule[0] = "-d";
      auditctl(rule);
    }
    if (usable_ && enabled_before_ == 0) auditctl({"-e", "0"});
  }
  bool usable() const { return usable_ && rules_.size() == 2; }

 private:
  void add(const std::vector<std::string>& calls) {
    std::vector<std::string> rule = {"-a", "always,exit", "-F", "arch=b64"};
    rule.insert(rule.end(), calls.begin(), calls.end());
    rule.insert(rule.end(), {"-F", "ppid=" + std::to_string(::getpid()), "-k", "auditshift-test"});
    if (auditctl(rule)) rules_.push_back(rule);
  }
  static bool auditctl(std::vector<std::string> arguments) {
    base::Command command;
    command.argv = {"auditctl"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    base::SystemProcessRunner runner;
    const auto done = runner.run(command);
    EXPECT_TRUE(done.ok() && done->success())
        << base::join(command.argv, " ") << ": " << (done.ok() ? done->errors : "");
    return done.ok() && done->success();
  }

  int enabled_before_ = -1;
  bool usable_ = false;
  std::vector<std::vector<std::string>> rules_;
};

class AuditStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "audit rules need root";
    ASSERT_TRUE(lock_.held());
    rules_ = std::make_unique<AuditRules>();
    if (!rules_->usable()) GTEST_SKIP() << "audit rules cannot be loaded here";
    const auto started = provider_.start();
    ASSERT_TRUE(started.ok()) << started.error().message();
    directory_ = ::testing::TempDir() + "auditshift-audit-" + std::to_string(::getpid());
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  /// Only processes that began after audit was switched on are watched.
  pid_t child(const std::function<int()>& work) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(::chdir(directory_.c_str()) == 0 ? work() : 99);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return pid;
  }
  base::Json wait_for(const char* kind, pid_t pid) {
    return collector_.wait_for(provider_, [&](const base::Json& e) { return is_event(e, kind, pid); });
  }

  auditshift::testing::KernelLock lock_;
  std::unique_ptr<AuditRules> rules_;
  base::SystemClock clock_;
  AuditProvider provider_{clock_};
  Collector collector_;
  std::string directory_;
};

TEST_F(AuditStreamTest, ReadsFileCallsWithAbsolutePaths) {
  const auto before = clock_.now().time_since_epoch().count();
  const pid_t pid = child([] {
    const int fd = ::open("made \xc3\xa4\xff", O_CREAT | O_WRONLY, 0640);
    bool ok = fd >= 0 && ::rename("made \xc3\xa4\xff", "b") == 0 && ::chmod("b", 0600) == 0;
    ok = ok && ::mkdir("dir", 0700) == 0 && ::symlink("../target", "dir/link") == 0 &&
         ::link("b", "hard") == 0;
    ok = ok && ::unlinkat(AT_FDCWD, "hard", 0) == 0 && ::unlinkat(AT_FDCWD, "missing", 0) != 0;
    const int directory = ::open("dir", O_DIRECTORY | O_RDONLY);
    ok = ok && ::unlinkat(directory, "link", 0) == 0;
    return ok ? 0 : 1;
  });
  const base::Json exit = wait_for("exit", pid);
  ASSERT_FALSE(exit.is_null());
  EXPECT_EQ(exit["exit_code"], 0);
  std::vector<base::Json> unlinks;
  for (const base::Json& event : collector_.events) {
    if (event["process"]["pid"] == pid && event["kind"] == "unlink") unlinks.push_back(event);
  }
  const base::Json create = wait_for("create", pid);
  ASSERT_FALSE(create.is_null());
  EXPECT_EQ(create["path"]["text"], directory_ + "/made \xc3\xa4\\xff")
      << "a hostile name, marked as escaped";
  EXPECT_EQ(create["escaped"], base::Json::parse(R"(["path.text"])"));
  EXPECT_EQ(create["syscall"]["name"], "openat");
  EXPECT_EQ(create["process"]["ppid"], ::getpid());
  EXPECT_EQ(create["process"]["euid"], 0);
  char exe[4096] = {};
  ASSERT_GT(::readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
  EXPECT_EQ(create["process"]["exe"], exe);
  EXPECT_GE(create["wall_ns"].get<std::int64_t>(), before - 1'000'000'000);
  EXPECT_LE(create["boot_ns"].get<std::int64_t>(), clock_.since_boot().count());
  const base::Json rename = wait_for("rename", pid);
  EXPECT_EQ(rename["path"]["text"], directory_ + "/made \xc3\xa4\\xff");
  EXPECT_EQ(rename["second_path"]["text"], directory_ + "/b");
  const base::Json chmod = wait_for("chmod", pid);
  EXPECT_EQ(chmod["path"]["text"], directory_ + "/b");
  EXPECT_EQ(chmod["mode"], "0600");
  EXPECT_EQ(wait_for("mkdir", pid)["path"]["text"], directory_ + "/dir");
  const base::Json symlink = wait_for("symlink", pid);
  EXPECT_EQ(symlink["path"]["text"], directory_ + "/dir/link");
  EXPECT_EQ(symlink["text"], "../target");
  const base::Json link = wait_for("link", pid);
  EXPECT_EQ(link["path"]["text"], directory_ + "/b");
  EXPECT_EQ(link["second_path"]["text"], directory_ + "/hard");
  ASSERT_EQ(unlinks.size(), 3U);
  EXPECT_EQ(unlinks[0]["path"]["text"], directory_ + "/hard");
  EXPECT_FALSE(unlinks[1].contains("path")) << "the kernel does not tell the name of what was not there";
  EXPECT_EQ(unlinks[1]["syscall"]["result"], -ENOENT);
  EXPECT_EQ(unlinks[2]["path"]["text"], "link");
  EXPECT_EQ(unlinks[2]["path"]["unresolved"], true) << "the records do not tell the directory";
}

TEST_F(AuditStreamTest, ReadsExecWithItsArguments) {
  const std::string longest(100'000, 'x');
  const pid_t pid = child([&] {
    ::execl("/bin/true", "true", "two words", "\xff\"", longest.c_str(), "end", static_cast<char*>(nullptr));
    return 1;
  });
  const base::Json exec = wait_for("exec", pid);
  ASSERT_FALSE(exec.is_null());
  ASSERT_EQ(exec["argv"].size(), 5U);
  EXPECT_EQ(exec["argv"][0], "true");
  EXPECT_EQ(exec["argv"][1], "two words");
  EXPECT_EQ(exec["argv"][2], "\\xff\"");
  EXPECT_EQ(exec["argv"][3].get<std::string>().size(), longest.size()) << "put together from several records";
  EXPECT_EQ(exec["argv"][4], "end");
  EXPECT_EQ(exec["cwd"]["text"], directory_);
  EXPECT_EQ(exec["path"]["text"], "/bin/true");
  EXPECT_EQ(exec["process"]["exe"], std::filesystem::canonical("/bin/true").string());
  EXPECT_EQ(exec["syscall"]["result"], 0);
}

TEST_F(AuditStreamTest, ReadsSocketAddresses) {
  const pid_t pid = child([] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = 0;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
    address.sin_port = ::htons(9);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  const base::Json connect = wait_for("connect", pid);
  ASSERT_FALSE(connect.is_null());
  EXPECT_EQ(connect["socket"]["remote"]["family"], "ipv4");
  EXPECT_EQ(connect["socket"]["remote"]["address"], "127.0.0.1");
  EXPECT_EQ(connect["socket"]["remote"]["port"], 9);
  EXPECT_EQ(wait_for("bind", pid)["socket"]["local"]["address"], "127.0.0.1");
}

TEST_F(AuditStreamTest, LosesNothingOfMany) {
  constexpr int kCalls = 2000;
  const pid_t pid = child([] {
    std::ofstream("a") << "x";
    for (int i = 0; i < kCalls; ++i) {
      if (::rename(i % 2 == 0 ? "a" : "b", i % 2 == 0 ? "b" : "a") != 0) return 1;
    }
    return 0;
  });
  ASSERT_FALSE(wait_for("exit", pid).is_null());
  const auto seen = std::count_if(collector_.events.begin(), collector_.events.end(),
                                  [&](const base::Json& e) { return is_event(e, "rename", pid); });
  EXPECT_EQ(seen, kCalls);
  for (const DropCounter& drop : provider_.drops()) EXPECT_EQ(drop.count, 0U) << drop.cause;
}

}  // namespace
}  // namespace auditshift::sensor
