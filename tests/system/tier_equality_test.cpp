// SPDX-License-Identifier: Apache-2.0
// One workload under tiers fentry and core at the same time: both must tell the same events, field by field.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sensor/format.h"
#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 25;  // calls per class of the workload, at least
constexpr auto kPatience = 180s;

/// The workload's events, each as the document that the raw format makes of it, without when and on which CPU
/// it was seen; by thread, as only within one the order is certain.
class View final : public Consumer {
 public:
  explicit View(std::uint32_t first) : family_{first}, first_(first) {}

  void consume(const Event& event) override {
    if (family_.contains(event.process.parent.pid)) family_.insert(event.process.id.pid);
    if (!family_.contains(event.process.id.pid)) return;
    if (event.kind == EventKind::fork) family_.insert(event.target.pid);
    // What this kernel does not have, no function of it carries out: only tier core sees the attempt.
    if (event.syscall.result == -ENOSYS) return;
    finished = finished || (event.kind == EventKind::exit && event.process.id.pid == first_);
    TextBuffer line;
    formatter_.append(line, event, "ebpf", 0);
    auto document = nlohmann::json::parse(line.view());
    for (const char* key : {"boot_ns", "wall_ns", "cpu"}) document.erase(key);
    threads[event.process.tid].push_back(document.dump());
    calls.insert(std::string(event.syscall.name));
    ++events;
  }
  void end_of_batch() override {}

  std::map<std::uint32_t, std::vector<std::string>> threads;
  std::set<std::string> calls;
  std::size_t events = 0;
  bool finished = false;

 private:
  std::set<std::uint32_t> family_;
  std::uint32_t first_;
  Formatter formatter_{Format::raw, StreamIdentity{}};
};

/// Beside this program, as in a copy of it, or where it was built.
std::string workload() {
  const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "parity_workload";
  return std::filesystem::exists(beside) ? beside.string() : AUDITSHIFT_PARITY_WORKLOAD;
}

pid_t start_workload(const std::string& directory, const std::string& seed) {
  const pid_t child = fork();
  if (child != 0) return child;
  execl(workload().c_str(), "workload", directory.c_str(), seed.c_str(), std::to_string(kRounds).c_str(),
        static_cast<char*>(nullptr));
  _exit(127);
}

TEST(TierEquality, FentryAndCoreTellTheSameEvents) {
  const auto host = base::Sysroot::open("/");
  ASSERT_TRUE(host.ok());
  for (const auto& missing : bpf::missing_features(bpf::KernelProbe(*host).run(), bpf::Tier::fentry))
    GTEST_SKIP() << missing.feature << ": " << missing.detail;
  const std::string seed = std::to_string(time(nullptr));
  SCOPED_TRACE("seed " + seed);
  const TemporaryDirectory directory;
  const base::SystemClock clock;
  EbpfOptions options = everything();
  options.all_sockets = options.reads = options.threads = options.all_ptrace = true;
  EbpfProvider core(options, clock, bpf::Tier::core), fentry(options, clock, bpf::Tier::fentry);
  const auto core_started = core.start(), fentry_started = fentry.start();
  ASSERT_TRUE(core_started.ok()) << core_started.error().message();
  ASSERT_TRUE(fentry_started.ok()) << fentry_started.error().message();

  const pid_t child = start_workload(directory.path(), seed);
  View by_core(static_cast<std::uint32_t>(child)), by_fentry(static_cast<std::uint32_t>(child));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!(by_core.finished && by_fentry.finished) && std::chrono::steady_clock::now() < deadline) {
    ASSERT_TRUE(core.poll(5ms, by_core).ok());
    ASSERT_TRUE(fentry.poll(0ms, by_fentry).ok());
  }
  // Processes that the first one left behind; and neither provider is read further than the other.
  for (int quiet = 0; quiet < 20 && std::chrono::steady_clock::now() < deadline;) {
    const std::size_t before = by_core.events + by_fentry.events;
    ASSERT_TRUE(core.poll(50ms, by_core).ok());
    ASSERT_TRUE(fentry.poll(0ms, by_fentry).ok());
    quiet = by_core.events + by_fentry.events == before ? quiet + 1 : 0;
  }
  int status = 0;
  if (waitpid(child, &status, WNOHANG) == 0) {
    ::kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ASSERT_TRUE(by_core.finished && by_fentry.finished)
      << "core told " << by_core.events << " events, fentry " << by_fentry.events << " before time was up";
  for (const EbpfProvider* provider : {&core, &fentry}) {
    for (const DropCounter& drop : provider->drops()) EXPECT_EQ(drop.count, 0U) << drop.cause;
  }

  std::size_t differences = 0;
  for (const auto& [thread, events] : by_core.threads) {
    const auto& others = by_fentry.threads[thread];
    const auto& longer = events.size() > others.size() ? events : others;
    EXPECT_EQ(events.size(), others.size())
        << "thread " << thread << ", the first that one alone told: "
        << (events.size() == others.size() ? "" : longer[std::min(events.size(), others.size())]);
    for (std::size_t i = 0; i < std::min(events.size(), others.size()); ++i) {
      if (events[i] == others[i]) continue;
      if (++differences <= 20) ADD_FAILURE() << "core   " << events[i] << "\nfentry " << others[i] << "\n";
    }
  }
  EXPECT_EQ(differences, 0U);
  EXPECT_EQ(by_core.threads.size(), by_fentry.threads.size());
  EXPECT_EQ(by_core.calls, by_fentry.calls);
  EXPECT_GE(by_core.calls.size(), 50U) << "calls of that many sorts";
  std::cout << by_core.events << " events of " << by_core.calls.size() << " calls are the same\n";
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
