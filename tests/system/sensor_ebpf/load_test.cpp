// SPDX-License-Identifier: Apache-2.0
// Nothing is lost under load; and what is lost, when it must be, is counted to the last record.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <numeric>
#include <thread>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;

/// Counts events by process, and what loss records say.
class Counter final : public Consumer {
 public:
  void consume(const Event& event) override {
    if (event.kind == EventKind::loss) {
      told_lost += event.loss.count;
      EXPECT_LT(event.loss.first_ns, event.loss.last_ns);
    } else {
      ++seen[event.process.id.pid];
    }
  }
  void end_of_batch() override {}

  std::map<std::uint32_t, std::uint64_t> seen;
  std::uint64_t told_lost = 0;
};

/// Forks `workers` processes that repeat `call` until `duration` is over. Their pids; `made` is how often
/// each has called, in memory shared with them.
std::vector<pid_t> start_workers(int workers, std::chrono::milliseconds duration,
                                 volatile std::uint64_t* made,
                                 const std::function<void(int worker, std::uint64_t turn)>& call) {
  std::vector<pid_t> pids;
  for (int worker = 0; worker < workers; ++worker) {
    const pid_t pid = fork();
    if (pid == 0) {
      const auto end = std::chrono::steady_clock::now() + duration;
      std::uint64_t turn = 0;
      while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 100; ++i) call(worker, turn++);
        made[worker] = turn;
      }
      _exit(0);
    }
    pids.push_back(pid);
  }
  return pids;
}

class Load : public testing::Test {
 protected:
  void SetUp() override {
    if (!lacking_.empty()) GTEST_SKIP() << lacking_;
    made_ = static_cast<volatile std::uint64_t*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  }

  volatile std::uint64_t* made_ = nullptr;
  base::SystemClock clock_;
  const std::string lacking_ = lacking_privilege();  // first: it may enter a mount namespace
  base::Sysroot host_ = *base::Sysroot::open("/");
  TemporaryDirectory directory_;
};

TEST_F(Load, RenamesOnEveryCpuAreAllSeen) {
  EbpfOptions options;
  options.kinds = {EventKind::rename, EventKind::loss};
  const auto made_provider = make_provider(options, host_, clock_);
  Provider& provider = *made_provider;
  ASSERT_TRUE(provider.start().ok());
  const int workers = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const auto pids = start_workers(workers, 4s, made_, [&](int worker, std::uint64_t turn) {
    const std::string name = directory_ / ("f" + std::to_string(worker));
    const std::string names[] = {name + "a", name + "b"};
    if (turn == 0) close(open(names[0].c_str(), O_CREAT | O_WRONLY, 0600));
    rename(names[turn % 2].c_str(), names[(turn + 1) % 2].c_str());
  });
  Counter counter;
  std::size_t running = pids.size();
  while (running > 0) {
    ASSERT_TRUE(provider.poll(50ms, counter).ok());
    while (running > 0 && waitpid(-1, nullptr, WNOHANG) > 0) --running;
  }
  while (provider.poll(100ms, counter).value_or(0) > 0) {
  }
  std::uint64_t made = 0, seen = 0;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    made += made_[i];
    seen += counter.seen[static_cast<std::uint32_t>(pids[i])];
  }
  std::printf("%llu renames by %d workers in 4 s, %llu seen, %llu lost\n",
              static_cast<unsigned long long>(made), workers, static_cast<unsigned long long>(seen),
              static_cast<unsigned long long>(lost(provider)));
  EXPECT_EQ(lost(provider), 0U);
  EXPECT_EQ(seen, made);
}

TEST_F(Load, WhatDoesNotFitIsCountedToTheLastRecord) {
  EbpfOptions options;
  // A call that nobody else makes, so that every loss is one of ours.
  options.kinds = {EventKind::module_unload, EventKind::loss};
  options.failed_other = true;
  options.ring_bytes = 64 << 10;
  const auto made_provider = make_provider(options, host_, clock_);
  Provider& provider = *made_provider;
  const auto started = provider.start();
  ASSERT_TRUE(started.ok()) << started.error().message();
  const auto pids =
      start_workers(2, 1s, made_, [](int, std::uint64_t) { syscall(SYS_delete_module, "nonesuch", 0); });
  Counter counter;
  std::size_t running = pids.size();
  while (running > 0) {
    std::this_thread::sleep_for(100ms);  // a reader that cannot keep up
    ASSERT_TRUE(provider.poll(0ms, counter).ok());
    while (running > 0 && waitpid(-1, nullptr, WNOHANG) > 0) --running;
  }
  // Losses are told a few times a second; those of a perf buffer come with its CPU's next record that fits.
  for (long cpu = 0; is_legacy() && cpu < sysconf(_SC_NPROCESSORS_CONF); ++cpu) {
    ASSERT_TRUE(provider.poll(0ms, counter).ok());
    const pid_t child = fork();
    if (child == 0) {
      cpu_set_t only;
      CPU_ZERO(&only);
      CPU_SET(static_cast<std::size_t>(cpu), &only);
      sched_setaffinity(0, sizeof only, &only);
      _exit(0);  // is a record there
    }
    waitpid(child, nullptr, 0);
  }
  std::this_thread::sleep_for(300ms);
  while (provider.poll(100ms, counter).value_or(0) > 0) {
  }
  std::uint64_t made = 0, seen = 0;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    made += made_[i];
    seen += counter.seen[static_cast<std::uint32_t>(pids[i])];
  }
  EXPECT_GT(lost(provider), 0U);
  if (is_legacy()) {  // whose buffers also hold what others did: its account of processes needs that
    EXPECT_GE(seen + lost(provider), made);
    return;
  }
  EXPECT_EQ(seen + lost(provider), made);
  EXPECT_EQ(counter.told_lost, lost(provider)) << "the stream itself says what is missing from it";
  const auto drops = provider.drops();
  EXPECT_EQ(drops[0].cause, "ring buffer full");
  EXPECT_EQ(std::accumulate(drops[0].per_cpu.begin(), drops[0].per_cpu.end(), std::uint64_t{0}),
            drops[0].count);
}

TEST_F(Load, AFillingRingWakesTheReaderBeforeItsTimer) {
  SKIP_ON_LEGACY("a quarter of its buffer wakes it, which takes more records");
  EbpfOptions options;
  options.kinds = {EventKind::remove_xattr};
  options.failed_other = true;
  options.ring_bytes = 1 << 20;
  options.drain_interval = 60s;
  const auto made_provider = make_provider(options, host_, clock_);
  Provider& provider = *made_provider;
  ASSERT_TRUE(provider.start().ok());
  const pid_t worker = fork();
  if (worker == 0) {
    std::this_thread::sleep_for(200ms);
    // Over an eighth of the ring: a record has 248 bytes and its texts.
    for (int i = 0; i < 800; ++i) removexattr("/", "user.nonesuch");
    _exit(0);
  }
  Counter counter;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_GT(provider.poll(20s, counter).value_or(0), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  waitpid(worker, nullptr, 0);
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
