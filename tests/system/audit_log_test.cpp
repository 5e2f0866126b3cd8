// SPDX-License-Identifier: Apache-2.0
// Compares our reading of a log with that of ausearch and aureport, on a log that the real auditd wrote from
// real kernel events. The daemon runs with its own configuration and log; rules, daemon and the audit status
// are as before when the test ends, however it ends.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "auditd/log.h"
#include "auditd/log_record.h"
#include "base/process.h"
#include "base/text.h"
#include "tests/system/kernel_lock.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::auditd {
namespace {

using namespace std::chrono_literals;
using tests::TemporaryTree;

base::Completed run(std::vector<std::string> argv) {
  auto done = base::SystemProcessRunner().run({std::move(argv), {}});
  if (done) return *std::move(done);
  base::Completed failed;
  failed.errors = done.error().message();
  return failed;
}

/// One value of `auditctl -s`, or nothing.
std::optional<std::uint64_t> status_value(const std::string& name) {
  const base::Completed status = run({"auditctl", "-s"});
  for (const std::string_view line : base::split(status.output, '\n')) {
    const auto words = base::split(line, ' ');
    if (words.size() >= 2 && words[0] == name) return base::parse_decimal(words[1]);
  }
  return std::nullopt;
}

/// auditd with its own directory, and rules of our own; takes all of it back.
class AuditSession {
 public:
  explicit AuditSession(const TemporaryTree& tree) : tree_(tree) {
    enabled_before_ = status_value("enabled").value_or(0);
    tree.directory("/conf/plugins.d");
    tree.file("/conf/auditd.conf",
              "local_events = yes\nwrite_logs = yes\nlog_format = ENRICHED\nflush = NONE\n"
              "log_group = root\nnum_logs = 0\nmax_log_file = 64\n"
              "max_log_file_action = IGNORE\nspace_left = 2\nspace_left_action = IGNORE\n"
              "admin_space_left = 1\nadmin_space_left_action = IGNORE\n"
              "disk_full_action = IGNORE\ndisk_error_action = IGNORE\n"
              "log_file = " +
                  tree.real("/conf/audit.log") + "\nplugin_dir = " + tree.real("/conf/plugins.d") + "\n");
    std::filesystem::permissions(tree.real("/conf/auditd.conf"), std::filesystem::perms(0640));
  }
  ~AuditSession() { stop(); }
  AuditSession(const AuditSession&) = delete;
  AuditSession& operator=(const AuditSession&) = delete;

  bool start() {
    std::string directory = tree_.real("/conf");
    // When this process is killed, the daemon ends as well.
    std::vector<std::string> words = {"setpriv", "--pdeathsig", "TERM", "/sbin/auditd", "-n",
                                      "-c",      directory,     "-s",   "enable"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (::posix_spawn(&daemon_, "/usr/bin/setpriv", nullptr, nullptr, argv.data(), environ) != 0)
      return false;
    for (int i = 0; i < 100; ++i) {
      if (status_value("pid") == static_cast<std::uint64_t>(daemon_)) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }

  /// Ends the daemon, which writes what it has, and takes rules and status back.
  void stop() {
    if (stopped_) return;
    stopped_ = true;
    run({"auditctl", "-D", "-k", kKeyMark});
    if (daemon_ > 0) {
      std::this_thread::sleep_for(500ms);  // records on their way
      ::kill(daemon_, SIGTERM);
      reap();
    }
    // Never 2: that would lock the kernel's rules.
    run({"auditctl", "-e", enabled_before_ == 1 ? "1" : "0"});
  }

  static constexpr const char* kKeyMark = "auditshift-log-test";

 private:
  void reap() {
    for (int i = 0; i < 200; ++i) {
      if (::waitpid(daemon_, nullptr, WNOHANG) == daemon_) return;
      std::this_thread::sleep_for(50ms);
    }
    ::kill(daemon_, SIGKILL);
    ::waitpid(daemon_, nullptr, 0);
  }

  const TemporaryTree& tree_;
  std::uint64_t enabled_before_ = 0;
  pid_t daemon_ = -1;
  bool stopped_ = false;
};

std::uint64_t events_of(const DailyVolumes& volumes, const std::string& name) {
  std::uint64_t events = 0;
  if (const auto found = volumes.find(name); found != volumes.end())
    for (const auto& [day, volume] : found->second) events += volume.events;
  return events;
}

/// Distinct events per record type in what `ausearch --raw` printed.
std::map<std::string, std::set<std::string>> events_by_type(const std::string& raw) {
  std::map<std::string, std::set<std::string>> events;
  for (const std::string_view line : base::split(raw, '\n'))
    if (const auto head = parse_record_head(line)) events[std::string(head->type)].emplace(head->stamp);
  return events;
}

std::string why_not_here() {
  if (::geteuid() != 0) return "loading rules needs root";
  for (const char* program :
       {"/usr/bin/setpriv", "/sbin/auditd", "/sbin/auditctl", "/sbin/ausearch", "/sbin/aureport"})
    if (::access(program, X_OK) != 0) return std::string(program) + " is not installed";
  const auto enabled = status_value("enabled");
  if (!enabled) return "the kernel's audit status cannot be read here";
  if (*enabled == 2) return "the audit rules of this kernel are locked until it boots";
  if (status_value("pid").value_or(0) != 0) return "an audit daemon is running on this host";
  return {};
}

TEST(AuditLog, CountsWhatAusearchAndAureportCount) {
  const testing::KernelLock lock;
  ASSERT_TRUE(lock.held());
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;

  const TemporaryTree tree;
  const std::string mark = AuditSession::kKeyMark;
  AuditSession session(tree);
  std::filesystem::copy_file("/bin/true", tree.real("/conf/my tool"));
  std::filesystem::copy_file("/bin/true", tree.real("/conf/tool"));
  tree.file("/conf/watched", "");
  if (!session.start()) GTEST_SKIP() << "auditd does not start here";

  const auto load = [](std::vector<std::string> rule) {
    rule.insert(rule.begin(), "auditctl");
    const base::Completed done = run(rule);
    EXPECT_TRUE(done.success()) << done.errors;
  };
  load({"-a", "always,exit", "-F", "arch=b64", "-S", "execve", "-F", "exe=" + tree.real("/conf/tool"), "-k",
        mark + "-exec", "-k", mark + "-second"});
  load({"-a", "always,exit", "-F", "arch=b64", "-S", "execve", "-F", "exe=" + tree.real("/conf/my tool"),
        "-k", mark + " with blank"});
  load({"-w", tree.real("/conf/watched"), "-p", "wa", "-k", mark + "-watch"});
  for (int i = 0; i < 40; ++i) {
    run({tree.real("/conf/tool"), "argument"});
    if (i % 2 == 0) run({tree.real("/conf/my tool")});
    // A new process: one that is older than the audit system's first use has no audit context.
    run({"sh", "-c", "echo x >\"$0\"", tree.real("/conf/watched")});
  }
  session.stop();

  const std::string log_path = tree.real("/conf/audit.log");
  const base::Sysroot host = tree.open();
  LogOptions options;
  options.log_file = "/conf/audit.log";
  base::NoProgress progress;
  const LogStatistics log = read_log(host, options, progress);
  EXPECT_TRUE(log.errors.empty());
  EXPECT_EQ(std::tuple(log.malformed, log.truncated, log.unfinished), std::tuple(0U, 0U, 0U));

  const std::string everything = run({"ausearch", "--raw", "-if", log_path}).output;
  const auto by_type = events_by_type(everything);
  EXPECT_EQ(by_type.size(), log.by_record_type.size());
  for (const auto& [type, events] : by_type)
    EXPECT_EQ(events_of(log.by_record_type, type), events.size()) << type;

  for (const char* suffix : {"-exec", "-second", " with blank", "-watch"}) {
    const std::string key = mark + suffix;
    auto found = events_by_type(run({"ausearch", "--raw", "-w", "-k", key, "-if", log_path}).output);
    // ausearch also finds the event of the key's rule being loaded, which no rule caused.
    for (const std::string& stamp : found["CONFIG_CHANGE"]) found["SYSCALL"].erase(stamp);
    const std::uint64_t theirs = found["SYSCALL"].size();
    EXPECT_GT(theirs, 0U) << key;
    EXPECT_EQ(events_of(log.by_key, key), theirs) << key;
  }
  EXPECT_EQ(events_of(log.by_key, mark + "-exec"), 40U);
  EXPECT_EQ(events_of(log.by_key, mark + " with blank"), 20U);
  EXPECT_GE(events_of(log.by_key, mark + "-watch"), 40U);
  EXPECT_EQ(events_of(log.by_executable, tree.real("/conf/my tool")), 20U);

  const std::string summary = run({"aureport", "--summary", "-if", log_path}).output;
  EXPECT_NE(summary.find("Number of events: " + std::to_string(log.total.events) + "\n"), std::string::npos)
      << summary;
}

}  // namespace
}  // namespace auditshift::auditd
