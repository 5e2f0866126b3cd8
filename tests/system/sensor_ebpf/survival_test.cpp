// SPDX-License-Identifier: Apache-2.0
// The kernel side outlives a sensor that is killed: numbered events from before, while it was dead and after.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;

constexpr int kEvents = 60'000;

/// Shared by the test, the sensors and the worker.
struct Blackboard {
  std::atomic<std::uint32_t> seen[kEvents];  ///< how often each number was
  std::atomic<int> made;
  std::atomic<std::uint64_t> told_lost;
  std::atomic<bool> ready;
  std::atomic<bool> stop;
};

constexpr std::string_view kName = "auditshift_";

/// Event of that number: a call that fails, and that nobody else on a host makes, not even the systemd of a
/// container (which removes attributes). So every loss is one of these.
void make_event(int number) {
  syscall(SYS_delete_module, (std::string(kName) + std::to_string(number)).c_str(), O_NONBLOCK);
}

/// Ticks off the numbers of make_event(), as a file would: when a batch ends. What it holds until then dies
/// with it.
class TickOff final : public Consumer {
 public:
  /// Kills its process with the event of number `dies_at`, unless that is negative.
  explicit TickOff(Blackboard& board, int dies_at = -1) : board_(board), dies_at_(dies_at) {}
  void consume(const Event& event) override {
    if (event.kind == EventKind::loss) board_.told_lost += event.loss.count;
    if (event.kind != EventKind::module_unload || !event.text.starts_with(kName)) return;
    int number = -1;
    const std::string_view digits = event.text.substr(kName.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (number >= 0 && number < kEvents) numbers_.push_back(number);
    if (number >= 0 && number == dies_at_) kill(getpid(), SIGKILL);
  }
  void end_of_batch() override {
    for (const int number : numbers_) ++board_.seen[number];
    numbers_.clear();
  }

 private:
  Blackboard& board_;
  int dies_at_;
  std::vector<int> numbers_;
};

/// Keeps what is told as lost, beside.
class Losses final : public Consumer {
 public:
  explicit Losses(Blackboard& board) : events_(board) {}
  void consume(const Event& event) override {
    if (event.kind == EventKind::loss) all.push_back(event.loss);
    events_.consume(event);
  }
  void end_of_batch() override { events_.end_of_batch(); }

  std::vector<Loss> all;

 private:
  TickOff events_;
};

EbpfOptions pinned_options(const std::string& directory) {
  EbpfOptions options;
  options.kinds = {EventKind::module_unload, EventKind::loss};
  options.failed_other = true;
  options.pin_directory = directory;
  options.perf_events = on_perf_events();
  return options;
}

/// A sensor in a process of its own, until the blackboard says stop. With `dies_at` it begins to read when
/// thrice as many events are there, and dies in the middle of them.
pid_t start_sensor(Blackboard& board, const EbpfOptions& options, int dies_at = -1) {
  board.ready = false;
  const pid_t pid = fork();
  if (pid != 0) {
    while (!board.ready && waitpid(pid, nullptr, WNOHANG) == 0) std::this_thread::sleep_for(1ms);
    return pid;
  }
  const base::SystemClock clock;
  EbpfProvider provider(options, clock, tier_under_test());
  if (!provider.start().ok()) _exit(1);
  board.ready = true;
  TickOff tick_off(board, dies_at);
  while (board.made < 3 * dies_at) std::this_thread::sleep_for(1ms);
  while (!board.stop) {
    if (!provider.poll(20ms, tick_off).ok()) _exit(2);
  }
  while (provider.poll(100ms, tick_off).value_or(0) > 0) {
  }
  provider.stop();
  _exit(0);
}

pid_t start_worker(Blackboard& board) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  for (int number = 0; number < kEvents; ++number) {
    make_event(number);
    board.made = number + 1;
    if (number % 20 == 0) std::this_thread::sleep_for(500us);
  }
  _exit(0);
}

class Survival : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_ON_LEGACY("nothing outlives the process");
    if (const std::string lacking = lacking_privilege(); !lacking.empty()) GTEST_SKIP() << lacking;
    void* memory =
        mmap(nullptr, sizeof(Blackboard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    board_ = new (memory) Blackboard{};
  }
  void TearDown() override {
    if (board_ != nullptr) munmap(board_, sizeof(Blackboard));
  }

  /// Runs `test` in a child with a BPF file system at directory_ that nobody else sees and that goes with it:
  /// whatever fails, nothing stays in the kernel. Exit code 0 is success.
  void in_a_namespace_of_its_own(const std::function<void()>& test) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          mount("bpf", directory_.path().c_str(), "bpf", 0, "mode=0700") != 0) {
        _exit(77);
      }
      test();
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
      GTEST_SKIP() << "a BPF file system cannot be mounted here";
    EXPECT_EQ(status, 0) << "see above";
  }

  /// Every number was seen; some twice, those the dead sensor had read but not given back.
  void expect_all_seen() {
    int missing = 0, twice = 0;
    for (const auto& times : board_->seen) {
      missing += times == 0 ? 1 : 0;
      twice += times > 1 ? 1 : 0;
    }
    std::printf("%d events: %d missing, %d seen twice\n", kEvents, missing, twice);
    EXPECT_EQ(missing, 0);
    EXPECT_LE(twice, 4 * 4096);
    EXPECT_EQ(board_->told_lost, 0U);
  }

  TemporaryDirectory directory_;
  Blackboard* board_ = nullptr;
};

TEST_F(Survival, NothingIsLostWhenTheSensorIsKilledAndComesBack) {
  in_a_namespace_of_its_own([&] {
    const auto options = pinned_options(directory_ / "pins");
    pid_t sensor = start_sensor(*board_, options);
    const pid_t worker = start_worker(*board_);
    for (int death = 1; death <= 3; ++death) {
      while (board_->made < death * kEvents / 5) std::this_thread::sleep_for(1ms);
      kill(sensor, SIGKILL);
      waitpid(sensor, nullptr, 0);
      const int dead_at = board_->made;
      while (board_->made < dead_at + 2000) std::this_thread::sleep_for(1ms);  // nobody reads
      sensor = start_sensor(*board_, options);
    }
    waitpid(worker, nullptr, 0);
    board_->stop = true;
    int status = 0;
    waitpid(sensor, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(std::filesystem::exists(options.pin_directory)) << "a clean stop leaves nothing";
    expect_all_seen();
  });
}

TEST_F(Survival, WhatWasReadButNotKeptIsReadAgain) {
  in_a_namespace_of_its_own([&] {
    const auto options = pinned_options(directory_ / "pins");
    pid_t sensor = start_sensor(*board_, options, 1000);
    const pid_t worker = start_worker(*board_);
    int status = 0;
    waitpid(sensor, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it died on the way";
    sensor = start_sensor(*board_, options);
    waitpid(worker, nullptr, 0);
    board_->stop = true;
    waitpid(sensor, nullptr, 0);
    expect_all_seen();
  });
}

TEST_F(Survival, OtherOptionsTakeOverWithoutAGap) {
  in_a_namespace_of_its_own([&] {
    auto options = pinned_options(directory_ / "pins");
    pid_t sensor = start_sensor(*board_, options);
    const pid_t worker = start_worker(*board_);
    while (board_->made < kEvents / 3) std::this_thread::sleep_for(1ms);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    options.kinds.insert(EventKind::set_xattr);
    sensor = start_sensor(*board_, options);
    waitpid(worker, nullptr, 0);
    board_->stop = true;
    waitpid(sensor, nullptr, 0);
    expect_all_seen();
  });
}

TEST_F(Survival, HalfASetOfPinsIsReplaced) {
  in_a_namespace_of_its_own([&] {
    const auto options = pinned_options(directory_ / "pins");
    pid_t sensor = start_sensor(*board_, options);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    EXPECT_EQ(unlink((options.pin_directory + "/ring").c_str()), 0);
    const base::SystemClock clock;
    EbpfProvider provider(options, clock, tier_under_test());
    EXPECT_TRUE(provider.start().ok());
    EXPECT_EQ(provider.describe().details[0].second, "loaded");
    EXPECT_TRUE(std::filesystem::exists(options.pin_directory + "/ring"));
    provider.stop();
    EXPECT_FALSE(std::filesystem::exists(options.pin_directory));
  });
}

TEST_F(Survival, LossesWhileNobodyReadsAreTold) {
  in_a_namespace_of_its_own([&] {
    auto options = pinned_options(directory_ / "pins");
    options.ring_bytes = 64 << 10;
    pid_t sensor = start_sensor(*board_, options);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    for (int number = 0; number < 1000; ++number) make_event(number);
    sensor = start_sensor(*board_, options);
    std::this_thread::sleep_for(600ms);
    board_->stop = true;
    waitpid(sensor, nullptr, 0);
    std::uint64_t seen = 0;
    for (const auto& times : board_->seen) seen += times;
    EXPECT_GT(board_->told_lost, 0U);
    EXPECT_EQ(seen + board_->told_lost, 1000U);
  });
}

TEST_F(Survival, LossesOfProgramsThatOthersTookThePlaceOfAreToldOnce) {
  in_a_namespace_of_its_own([&] {
    auto options = pinned_options(directory_ / "pins");
    options.ring_bytes = 64 << 10;
    pid_t sensor = start_sensor(*board_, options);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    const auto died_at = base::SystemClock().since_boot();
    for (int number = 0; number < 1000; ++number) make_event(number);
    options.kinds.insert(EventKind::set_xattr);
    const base::SystemClock clock;
    EbpfProvider provider(options, clock, tier_under_test());
    ASSERT_TRUE(provider.start().ok());
    EXPECT_EQ(provider.describe().details[0].second, "loaded");
    Losses losses(*board_);
    const auto until = clock.since_boot() + 600ms;
    while (clock.since_boot() < until) ASSERT_TRUE(provider.poll(20ms, losses).ok());
    provider.tell_losses(losses);
    ASSERT_EQ(losses.all.size(), 1U);
    EXPECT_EQ(losses.all[0].cause, "ring buffer full");
    EXPECT_LE(losses.all[0].first_ns, static_cast<std::uint64_t>(died_at.count()));
    EXPECT_GE(losses.all[0].last_ns, static_cast<std::uint64_t>(died_at.count()));
    std::uint64_t seen = 0;
    for (const auto& times : board_->seen) seen += times;
    EXPECT_EQ(seen + board_->told_lost, 1000U);
    provider.stop();
  });
}

TEST_F(Survival, ACountThatADeadSensorBeganIsOver) {
  in_a_namespace_of_its_own([&] {
    const auto options = pinned_options(directory_ / "pins");
    const pid_t sensor = start_sensor(*board_, options);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    auto left = KernelPrograms::adopt(options.pin_directory);
    ASSERT_TRUE(left.ok() && *left);
    ASSERT_TRUE((*left)->set_counting(true).ok());
    make_event(0);
    const base::SystemClock clock;
    EbpfProvider provider(options, clock, tier_under_test());
    ASSERT_TRUE(provider.start().ok());
    EXPECT_NE(provider.describe().details[0].second, "loaded");
    EXPECT_EQ((*left)->state().counting, 0U) << "nobody asks for it";
    ASSERT_TRUE(provider.count_at_source(true).ok());
    const auto counts = provider.source_counts();
    ASSERT_TRUE(counts.ok());
    EXPECT_FALSE(counts->syscalls.contains(SYS_delete_module)) << "of the dead one's time";
    provider.stop();
  });
}

TEST_F(Survival, WhatAnotherVersionLeftIsToldAsMissing) {
  in_a_namespace_of_its_own([&] {
    const auto options = pinned_options(directory_ / "pins");
    const base::SystemClock clock;
    const auto before = static_cast<std::uint64_t>((clock.since_boot() - 1s).count());
    const pid_t sensor = start_sensor(*board_, options);
    kill(sensor, SIGKILL);
    waitpid(sensor, nullptr, 0);
    const auto died_at = static_cast<std::uint64_t>(clock.since_boot().count());
    {
      auto left = KernelPrograms::adopt(options.pin_directory);
      ASSERT_TRUE(left.ok() && *left);
      as_state state = (*left)->state();
      state.record_version = AS_RECORD_VERSION + 1;
      (*left)->set_state(state);
    }
    EbpfProvider provider(options, clock, tier_under_test());
    ASSERT_TRUE(provider.start().ok());
    Losses losses(*board_);
    ASSERT_TRUE(provider.poll(0ms, losses).ok());
    provider.tell_losses(losses);
    ASSERT_EQ(losses.all.size(), 1U);
    EXPECT_EQ(losses.all[0].cause, "records of a former sensor unreadable");
    EXPECT_GE(losses.all[0].first_ns, before);
    EXPECT_LE(losses.all[0].first_ns, died_at);
    EXPECT_GT(losses.all[0].last_ns, died_at);
    provider.stop();
  });
}

TEST_F(Survival, LossesAreToldBeforeTheEndWithoutWaiting) {
  auto options = pinned_options("");
  options.ring_bytes = 64 << 10;
  const base::SystemClock clock;
  EbpfProvider provider(options, clock, tier_under_test());
  ASSERT_TRUE(provider.start().ok());
  const pid_t worker = fork();
  if (worker == 0) {
    for (int number = 0; number < 1000; ++number) make_event(number);
    _exit(0);
  }
  waitpid(worker, nullptr, 0);
  TickOff tick_off(*board_);
  do {
    ASSERT_TRUE(provider.poll(0ms, tick_off).ok());
  } while (provider.has_more());
  provider.tell_losses(tick_off);
  std::uint64_t seen = 0;
  for (const auto& times : board_->seen) seen += times;
  EXPECT_LT(seen, 1000U);
  EXPECT_EQ(seen + board_->told_lost, 1000U);
  provider.tell_losses(tick_off);
  EXPECT_EQ(seen + board_->told_lost, 1000U) << "once";
}

TEST_F(Survival, PinsNeedABpfFileSystem) {
  const base::SystemClock clock;
  EbpfProvider provider(pinned_options(directory_ / "pins"), clock, tier_under_test());
  const auto started = provider.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), base::Errc::unsupported);
  EXPECT_NE(started.error().hint(), "");
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
