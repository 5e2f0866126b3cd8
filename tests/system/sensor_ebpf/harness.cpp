// SPDX-License-Identifier: Apache-2.0
#include "tests/system/sensor_ebpf/harness.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <set>
#include <sstream>

#include "bpf/tracepoint_format.h"
#include "sensor/legacy_provider.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint32_t read_number(const std::string& path) {
  return static_cast<std::uint32_t>(std::strtoul(read_text(path).c_str(), nullptr, 10));
}

/// The four numbers of a "Uid:" or "Gid:" line of /proc/self/status: real, effective, saved, file system.
std::array<std::uint32_t, 4> ids(const std::string& status, const std::string& key) {
  std::array<std::uint32_t, 4> result{};
  std::istringstream line(status.substr(status.find("\n" + key) + 1 + key.size()));
  for (std::uint32_t& id : result) line >> id;
  return result;
}

/// The inode of this process's directory in the cgroup v2 tree, which is the cgroup id.
std::uint64_t own_cgroup() {
  std::string mount_point;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string source, target, type;
    fields >> source >> target >> type;
    if (type == "cgroup2") mount_point = target;
  }
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    struct stat info {};
    if (!mount_point.empty() && line.starts_with("0::") &&
        ::stat((mount_point + line.substr(3)).c_str(), &info) == 0) {
      return info.st_ino;
    }
  }
  return 0;
}

std::uint64_t boot_ns() { return static_cast<std::uint64_t>(base::SystemClock().since_boot().count()); }

/// Where it is not mounted, in a mount namespace that ends with this process.
void mount_tracefs() {
  const auto host = base::Sysroot::open("/");
  if (!host.ok() || bpf::tracefs_directory(*host).ok() || unshare(CLONE_NEWNS) != 0) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  // What it lacks is said by the probe.
  (void)!mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
}

class Collector final : public Consumer {
 public:
  Collector(std::uint32_t root, Events& events) : family_{root}, root_(root), events_(events) {}

  void consume(const Event& event) override {
    if (family_.contains(event.process.parent.pid)) family_.insert(event.process.id.pid);
    if (!family_.contains(event.process.id.pid)) return;
    if (event.kind == EventKind::fork) family_.insert(event.target.pid);
    events_.emplace_back(event);
    if (event.kind == EventKind::exit && event.process.id.pid == root_) finished_ = true;
  }
  void end_of_batch() override {}
  bool finished() const { return finished_; }

 private:
  std::set<std::uint32_t> family_;
  std::uint32_t root_;
  Events& events_;
  bool finished_ = false;
};

}  // namespace

OwnedEvent::OwnedEvent(const Event& event)
    : event_(event), texts_(std::make_shared<std::deque<std::string>>()) {
  for (std::string_view* view :
       {&event_.process.comm, &event_.process.executable.text, &event_.process.container_id,
        &event_.path.text, &event_.second_path.text, &event_.cwd.text, &event_.argv.text, &event_.text,
        &event_.socket.local.path, &event_.socket.remote.path}) {
    own(*view);
  }
}

void OwnedEvent::own(std::string_view& view) { view = texts_->emplace_back(view); }

void Self::look() {
  pid = static_cast<std::uint32_t>(getpid());
  tid = static_cast<std::uint32_t>(gettid());
  parent = static_cast<std::uint32_t>(getppid());
  const std::string stat = read_text("/proc/self/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string field;
  for (int number = 3; number <= 22 && fields >> field; ++number) {
  }
  start_ticks = std::strtoull(field.c_str(), nullptr, 10);
  const std::string name = read_text("/proc/self/comm");
  comm = {};
  std::memcpy(comm.data(), name.data(), std::min(name.size() - 1, comm.size() - 1));
  executable = {};
  if (readlink("/proc/self/exe", executable.data(), executable.size() - 1) < 0) executable = {};
  const std::string status = read_text("/proc/self/status");
  const auto uids = ids(status, "Uid:"), gids = ids(status, "Gid:");
  uid = uids[0], euid = uids[1], suid = uids[2], fsuid = uids[3];
  gid = gids[0], egid = gids[1], sgid = gids[2], fsgid = gids[3];
  auid = read_number("/proc/self/loginuid");
  session = read_number("/proc/self/sessionid");
  struct stat space {};
  mount_namespace = ::stat("/proc/self/ns/mnt", &space) == 0 ? static_cast<std::uint32_t>(space.st_ino) : 0;
  cgroup_id = own_cgroup();
}

Sensor::Sensor(const EbpfOptions& options) : host_(*base::Sysroot::open("/")) {
  provider_ = make_provider(options, host_, clock_);
  void* memory = mmap(nullptr, sizeof(Self), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  self_ = memory == MAP_FAILED ? nullptr : new (memory) Self;
  const auto started = provider_->start();
  if (!started.ok()) ADD_FAILURE() << started.error().message();
}

Events Sensor::observe(const Action& action) {
  self_ = new (self_) Self;
  // So that nothing is written twice.
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    self_->look();
    self_->boot_ns_before = boot_ns();
    action(*self_);
    self_->boot_ns_after = boot_ns();
    while (is_legacy() && !self_->may_end) ::usleep(1000);
    _exit(0);
  }
  Events events;
  Collector collector(static_cast<std::uint32_t>(child), events);
  const auto deadline = std::chrono::steady_clock::now() + 120s;  // machines are emulated, too
  while (!collector.finished() && std::chrono::steady_clock::now() < deadline) {
    // Longer than the provider lets a record wait.
    const bool settled = self_->boot_ns_after != 0 && boot_ns() - self_->boot_ns_after > 70'000'000;
    const auto polled = provider_->poll(50ms, collector);
    if (!polled.ok()) {
      ADD_FAILURE() << polled.error().message();
      break;
    }
    if (settled && !provider_->has_more()) self_->may_end = true;
  }
  if (!collector.finished()) ADD_FAILURE() << "the child's end was not seen; so far: " << describe(events);
  int status = 0;
  waitpid(child, &status, collector.finished() ? 0 : WNOHANG);
  return events;
}

EbpfOptions everything() {
  EbpfOptions options;
  options.kinds = KindSet::all();
  options.failed_other = true;
  return options;
}

bpf::Tier tier_under_test() {
  const char* name = std::getenv("AUDITSHIFT_TEST_TIER");
  for (const bpf::Tier tier : {bpf::Tier::fentry, bpf::Tier::legacy}) {
    if (name != nullptr && bpf::tier_name(tier) == name) return tier;
  }
  return bpf::Tier::core;
}

bool on_perf_events() { return std::getenv("AUDITSHIFT_TEST_PERF_EVENTS") != nullptr; }

std::unique_ptr<Provider> make_provider(EbpfOptions options, const base::Sysroot& host,
                                        const base::Clock& clock) {
  options.perf_events = on_perf_events();
  if (is_legacy()) return std::make_unique<LegacyProvider>(options, host, clock);
  return std::make_unique<EbpfProvider>(options, clock, tier_under_test());
}

std::string lacking_privilege() {
  static const std::string lacking = [] {
    if (is_legacy() || on_perf_events()) mount_tracefs();
    const auto host = base::Sysroot::open("/");  // of the mount namespace that was entered just now
    if (!host.ok()) return host.error().message();
    for (const auto& missing : bpf::missing_features(bpf::KernelProbe(*host).run(), tier_under_test())) {
      return missing.feature + ": " + missing.detail;
    }
    return std::string();
  }();
  return lacking;
}

std::vector<const Event*> all_of(const Events& events, EventKind kind) {
  std::vector<const Event*> found;
  for (const OwnedEvent& event : events) {
    if (event->kind == kind) found.push_back(&*event);
  }
  return found;
}

const Event& only(const Events& events, EventKind kind) {
  const auto found = all_of(events, kind);
  if (found.size() == 1) return *found[0];
  ADD_FAILURE() << found.size() << " events of kind " << kind_name(kind) << " in: " << describe(events);
  static const Event none;
  return none;
}

std::string describe(const Events& events) {
  std::ostringstream text;
  for (const OwnedEvent& event : events) {
    text << "\n  " << kind_name(event->kind) << " pid " << event->process.id.pid << " " << event->syscall.name
         << "(" << event->syscall.number << ") = " << event->syscall.result << " " << event->path.text << " "
         << event->second_path.text;
  }
  return events.empty() ? "nothing" : text.str();
}

void expect_is(const Event& event, const Self& self) {
  const Process& process = event.process;
  EXPECT_EQ(process.id.pid, self.pid);
  EXPECT_EQ(process.tid, self.tid);
  EXPECT_EQ(process.parent.pid, self.parent);
  EXPECT_NE(process.parent.start_ns, 0U);
  // Tier legacy knows the moment of the fork's tracepoint, after the process was given its own: a little, or
  // as long as a busy host lets the parent wait in between.
  const auto ticks = process.id.start_ns / (1'000'000'000U / static_cast<unsigned>(sysconf(_SC_CLK_TCK)));
  EXPECT_GE(ticks, self.start_ticks);
  EXPECT_LE(ticks, self.start_ticks + (is_legacy() ? 20U : 0U));
  EXPECT_EQ(process.comm, std::string_view(self.comm.data()));
  EXPECT_EQ(process.executable.text, std::string_view(self.executable.data()));
  EXPECT_TRUE(process.executable.from_kernel);
  EXPECT_EQ(process.uid, self.uid);
  EXPECT_EQ(process.gid, self.gid);
  EXPECT_EQ(process.euid, self.euid);
  EXPECT_EQ(process.egid, self.egid);
  EXPECT_EQ(process.suid, self.suid);
  EXPECT_EQ(process.sgid, self.sgid);
  EXPECT_EQ(process.fsuid, self.fsuid);
  EXPECT_EQ(process.fsgid, self.fsgid);
  EXPECT_EQ(process.auid, self.auid);
  EXPECT_EQ(process.session, self.session);
  EXPECT_EQ(process.mount_namespace, self.mount_namespace);
  if (self.cgroup_id != 0) {
    EXPECT_EQ(process.cgroup_id, self.cgroup_id);
  }
  EXPECT_GE(event.boot_ns, self.boot_ns_before);
  EXPECT_LE(event.boot_ns, self.boot_ns_after);
  const auto wall = static_cast<std::int64_t>(time(nullptr)) * 1'000'000'000;
  EXPECT_LT(std::abs(event.wall_ns - wall), 60'000'000'000) << "the wall clock is off by more than a minute";
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "auditshift-ebpf-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot make " << pattern;
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace auditshift::sensor::testing_support
