// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sensor_overhead/services.h"

#include <libaudit.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "auditd/kernel.h"
#include "auditd/parser.h"
#include "base/json.h"
#include "base/text.h"
#include "bpf/record.h"
#include "sensor/control_server.h"
#include "tests/system/kernel_lock.h"

namespace auditshift::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// The calls that the sensor watches by default, as the rules of Defender's auditd days name theirs; opens
/// for writing only, as the sensor's.
constexpr const char* kRules[] = {
    "-a always,exit -F arch=b64 -S rename,renameat,renameat2,rmdir,unlink,unlinkat,mkdir,mkdirat -k bench",
    "-a always,exit -F arch=b64 -S link,linkat,symlink,symlinkat,truncate,ftruncate,mknod,mknodat -k bench",
    "-a always,exit -F arch=b64 -S chown,fchown,lchown,fchownat,chmod,fchmod,fchmodat,ptrace,bpf -k bench",
    "-a always,exit -F arch=b64 -S connect,bind,listen,accept,accept4 -k bench",
    "-a always,exit -F arch=b64 -S execve,execveat,fork,vfork,clone,clone3,exit_group -k bench",
    "-a always,exit -F arch=b64 -S open -F a1&0103 -k bench",
    "-a always,exit -F arch=b64 -S openat -F a2&0103 -k bench",
};
constexpr std::uint32_t kBacklog = 8192;  // what auditd packages and Defender's documents set

/// Time on a CPU of all threads of a process; /proc/PID/task/TID/schedstat counts nanoseconds.
double cpu_of(pid_t pid) {
  double seconds = 0;
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    double nanoseconds = 0;
    std::ifstream(thread.path() / "schedstat") >> nanoseconds;
    seconds += nanoseconds / 1e9;
  }
  return seconds;
}

/// A line of /proc/PID/status, "VmHWM:" for example, in KiB.
std::uint64_t memory_of(pid_t pid, std::string_view name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10);
  }
  return 0;
}

/// Bytes of a file by the lines that begin with this.
double bytes_per_line(const std::string& path, std::string_view first_of_event) {
  std::ifstream file(path);
  double bytes = 0, events = 0;
  for (std::string line; events < 100'000 && std::getline(file, line);) {
    bytes += static_cast<double>(line.size()) + 1;
    events += line.starts_with(first_of_event) ? 1 : 0;
  }
  return events == 0 ? 0 : bytes / events;
}

pid_t find_kernel_thread(std::string_view name) {
  std::error_code gone;
  for (const auto& process : fs::directory_iterator("/proc", gone)) {
    std::string comm;
    std::ifstream(process.path() / "comm") >> comm;
    if (comm == name) return std::atoi(process.path().filename().c_str());
  }
  return 0;
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& log) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // nothing stays behind when the benchmark is killed
  if (std::freopen(log.c_str(), "w", stderr) == nullptr || std::freopen("/dev/null", "w", stdout) == nullptr)
    _exit(126);
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

void stop(pid_t pid) {
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
}

/// Asks again and again, a minute long, whether a child is ready; false too when it has ended.
template <class Ready>
bool await(pid_t child, Ready ready) {
  for (int i = 0; i < 1200; ++i) {
    if (ready()) return true;
    if (waitpid(child, nullptr, WNOHANG) == child) return false;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

/// Waits until a service uses little CPU time.
void wait_until_idle(const Service& service) {
  // What other processes of the host do keeps it a little busy all the time.
  constexpr double kBusy = 0.2;
  constexpr auto kStep = 200ms;
  for (int i = 0; i < 25; ++i) {
    const double before = service.cpu_seconds();
    std::this_thread::sleep_for(kStep);
    if (service.cpu_seconds() - before < kBusy * std::chrono::duration<double>(kStep).count()) return;
  }
}

class Sensor final : public Service {
 public:
  Sensor(pid_t pid, std::string socket, std::string file)
      : pid_(pid), socket_(std::move(socket)), file_(std::move(file)) {}
  ~Sensor() override { stop(pid_); }
  double cpu_seconds() const override { return cpu_of(pid_); }
  std::uint64_t peak_kib() const override { return memory_of(pid_, "VmHWM:"); }
  std::uint64_t resident_kib() const override { return memory_of(pid_, "VmRSS:"); }
  std::uint64_t events() override { return counter("events_written"); }
  std::uint64_t lost() override { return counter("events_lost"); }
  double bytes_per_event() const override { return bytes_per_line(file_, "{"); }
  void settle() override { wait_until_idle(*this); }
  std::uint64_t renames_round_ring() const override { return kRingBytes / sizeof(as_record); }

 private:
  std::uint64_t counter(const char* name) {
    const auto health = sensor::ask_sensor(socket_, {{"request", "health"}}, 30s);
    return health.ok() ? health->value(name, std::uint64_t{0}) : 0;
  }
  pid_t pid_;
  std::string socket_;
  std::string file_;
};

/// Everything about the kernel's audit system that is changed here, and changed back.
class AuditSettings {
 public:
  AuditSettings() = default;
  AuditSettings(const AuditSettings&) = delete;
  AuditSettings& operator=(const AuditSettings&) = delete;
  base::Result<void> apply() {
    if (!lock_.held()) return base::Error(base::Errc::permission, "root is needed");
    const auditd::AuditStatus before = kernel_.status();
    const auditd::LiveRules rules = kernel_.rules();
    if (!rules.known || !rules.rules.empty() || before.pid.value_or(1) != 0 || before.enabled.value_or(2) > 1)
      return base::Error(base::Errc::busy, "audit is in use, locked or missing on this host");
    enabled_ = *before.enabled;
    backlog_ = before.backlog_limit.value_or(64);
    socket_.reset(::audit_open());
    for (const char* text : kRules) {
      const auditd::Line line = auditd::parse_line(text, {}, {});
      if (!line.rule) return base::Error(base::Errc::invalid, std::string("no rule: ") + text);
      AUDITSHIFT_TRY_VOID(kernel_.add(*line.rule));
      rules_.push_back(*line.rule);
    }
    ::audit_set_backlog_limit(socket_.get(), kBacklog);
    ::audit_set_enabled(socket_.get(), 1);
    return {};
  }
  ~AuditSettings() {
    for (const auditd::Rule& rule : rules_) (void)kernel_.remove(rule).ok();
    if (!socket_) return;
    ::audit_set_enabled(socket_.get(), enabled_);
    ::audit_set_backlog_limit(socket_.get(), backlog_);
  }
  auditd::AuditStatus status() { return kernel_.status(); }

 private:
  testing::KernelLock lock_;
  auditd::LiveKernelAudit kernel_{{}};
  std::vector<auditd::Rule> rules_;
  base::Fd socket_;
  std::uint32_t enabled_ = 0;
  std::uint32_t backlog_ = 0;
};

class Auditd final : public Service {
 public:
  explicit Auditd(std::string directory)
      : directory_(std::move(directory)), settings_(std::make_unique<AuditSettings>()) {}
  ~Auditd() override {
    const bool running = pid_ > 0;
    settings_.reset();  // before auditd goes: what is left would be printed by the kernel
    if (running) stop(pid_);
  }
  base::Result<void> start() {
    fs::create_directories(directory_ + "/plugins.d");
    std::ofstream(directory_ + "/auditd.conf")
        << "log_file = " << directory_ << "/audit.log\nlog_format = ENRICHED\nflush = INCREMENTAL_ASYNC\n"
        << "freq = 50\nmax_log_file = 8\nnum_logs = 5\nmax_log_file_action = IGNORE\nspace_left = 75\n"
        << "space_left_action = IGNORE\nadmin_space_left = 50\nadmin_space_left_action = IGNORE\n"
        << "disk_full_action = IGNORE\ndisk_error_action = IGNORE\nverify_email = no\npriority_boost = 4\n"
        << "plugin_dir = " << directory_ << "/plugins.d\n";
    fs::permissions(directory_ + "/auditd.conf", fs::perms(0640));
    // The settings first: they hold the lock and look whether audit is free.
    AUDITSHIFT_TRY_VOID(settings_->apply());
    lost_before_ = settings_->status().lost.value_or(0);
    pid_ = spawn({"auditd", "-n", "-s", "nochange", "-c", directory_}, directory_ + "/auditd.err");
    if (!await(pid_, [&] { return settings_->status().pid == static_cast<std::uint32_t>(pid_); })) {
      pid_ = -1;
      return base::Error(base::Errc::unsupported, "auditd does not start here; it is in the package auditd");
    }
    kernel_thread_ = find_kernel_thread("kauditd");
    kernel_thread_before_ = cpu_of(kernel_thread_);
    return {};
  }
  double cpu_seconds() const override {
    return cpu_of(pid_) + cpu_of(kernel_thread_) - kernel_thread_before_;
  }
  std::uint64_t peak_kib() const override { return memory_of(pid_, "VmHWM:"); }
  std::uint64_t resident_kib() const override { return memory_of(pid_, "VmRSS:"); }
  double bytes_per_event() const override {
    return bytes_per_line(directory_ + "/audit.log", "type=SYSCALL");
  }
  void settle() override { wait_until_idle(*this); }
  std::uint64_t lost() override { return settings_->status().lost.value_or(0) - lost_before_; }
  std::uint64_t events() override {
    std::ifstream log(directory_ + "/audit.log");
    log.seekg(read_until_);
    for (std::string line; std::getline(log, line);
         read_until_ += static_cast<std::streamoff>(line.size()) + 1)
      events_ += line.starts_with("type=SYSCALL") ? 1U : 0U;
    return events_;
  }

 private:
  std::string directory_;
  std::unique_ptr<AuditSettings> settings_;
  pid_t pid_ = -1;
  pid_t kernel_thread_ = 0;
  double kernel_thread_before_ = 0;
  std::uint64_t lost_before_ = 0;
  std::uint64_t events_ = 0;
  std::streamoff read_until_ = 0;
};

}  // namespace

void Service::attend() { std::this_thread::sleep_for(20ms); }

base::Result<std::unique_ptr<Service>> start_sensor(const std::string& directory, bool with_file,
                                                    unsigned exclusions) {
  fs::create_directories(directory);
  const std::string socket = directory + "/sensord.sock", managed = directory + "/managed.json";
  const std::string file = directory + "/events.ndjson";
  if (exclusions != 0) {
    base::Json entries = base::Json::array();
    for (unsigned i = 0; i < exclusions; ++i)
      entries.push_back({{"$type", "excludedPath"},
                         {"isDirectory", i % 2 == 0},
                         {"path", fs::current_path().string() + "/excluded-" + std::to_string(i)},
                         {"scopes", {"global"}}});
    std::ofstream(managed) << base::Json{{"exclusionSettings", {{"exclusions", entries}}}};
  }
  const pid_t pid = spawn(
      {AUDITSHIFT_SENSORD, "--provider", "ebpf", "--managed", managed, "--state", directory + "/state.json",
       "--socket", socket, "--pin", "", "--output", with_file ? file : std::string("none"), "--quiet"},
      directory + "/sensord.err");
  auto service = std::make_unique<Sensor>(pid, socket, file);
  if (!await(pid, [&] { return service->events() > 0; }))
    return base::Error(base::Errc::unsupported,
                       "the sensor does not start here: see " + directory + "/sensord.err");
  return std::unique_ptr<Service>(std::move(service));
}

base::Result<std::unique_ptr<Service>> start_auditd(const std::string& directory) {
  fs::create_directories(directory);
  auto service = std::make_unique<Auditd>(directory);
  AUDITSHIFT_TRY_VOID(service->start());
  return std::unique_ptr<Service>(std::move(service));
}

}  // namespace auditshift::bench
