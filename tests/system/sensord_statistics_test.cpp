// SPDX-License-Identifier: Apache-2.0
// Statistics, advice and identities as the daemon gives them, on the running kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "sensor/control_server.h"
#include "sensor_process.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;

std::uint64_t count_of(const base::Json& list, const char* key, const base::Json& value) {
  for (const base::Json& item : list) {
    if (item[key] == value) return item["count"].get<std::uint64_t>();
  }
  return 0;
}

class SensordStatisticsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = obstacle("ebpf"); !reason.empty()) GTEST_SKIP() << reason;
    from_ = sensor_.file("work/renamed.a");
    to_ = sensor_.file("work/renamed.b");
    std::filesystem::create_directory(sensor_.file("work"));
    std::ofstream(from_) << "x";
  }
  bool start() { return sensor_.start({"--provider", "ebpf"}); }
  /// There and back.
  void rename_twice() const {
    std::rename(from_.c_str(), to_.c_str());
    std::rename(to_.c_str(), from_.c_str());
  }

  SensorProcess sensor_;
  std::string from_, to_;
};

TEST_F(SensordStatisticsTest, CountInTheKernelWhateverTheDaemonKeepsUpWith) {
  ASSERT_TRUE(start()) << sensor_.log();
  constexpr std::uint64_t kTurns = 50'000;
  std::thread worker([&] {
    std::this_thread::sleep_for(300ms);
    for (std::uint64_t i = 0; i < kTurns; ++i) rename_twice();
  });
  const base::Json statistics =
      *ask_sensor(sensor_.socket(), {{"request", "ebpf-statistics"}, {"seconds", 10}, {"top", 1000}}, 60s);
  worker.join();
  EXPECT_EQ(statistics["counted_in"], "kernel");
  // Exactly, and even where this host is so busy that the ring overflowed.
  EXPECT_EQ(count_of(statistics["top_file_paths"], "path", from_), kTurns);
  EXPECT_EQ(count_of(statistics["top_file_paths"], "path", to_), kTurns);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_GE(count_of(statistics["top_initiator_paths"], "path", self), 2 * kTurns);
#if defined(__x86_64__)
  EXPECT_GE(count_of(statistics["top_syscall_ids"], "id", 82), 2 * kTurns);
#endif
  EXPECT_FALSE(statistics.contains("top_initiators_by_cpu"));
  EXPECT_FALSE(statistics.contains("advice"));
}

TEST_F(SensordStatisticsTest, TakeTurnsAndEndWithTheLast) {
  ASSERT_TRUE(start()) << sensor_.log();
  const auto ask = [&](unsigned seconds) {
    return *ask_sensor(sensor_.socket(),
                       {{"request", "ebpf-statistics"}, {"seconds", seconds}, {"top", 1000}}, 60s);
  };
  auto longer = std::async(std::launch::async, [&] { return ask(4); });
  std::this_thread::sleep_for(500ms);
  for (int i = 0; i < 10; ++i) rename_twice();
  std::this_thread::sleep_for(500ms);
  auto shorter = std::async(std::launch::async, [&] { return ask(1); });
  std::this_thread::sleep_for(200ms);
  for (int i = 0; i < 3; ++i) rename_twice();
  EXPECT_EQ(count_of(shorter.get()["top_file_paths"], "path", from_), 3U) << "none of before";
  EXPECT_EQ(count_of(longer.get()["top_file_paths"], "path", from_), 13U)
      << "the end of the other changes nothing";
  EXPECT_EQ(count_of(ask(1)["top_file_paths"], "path", from_), 0U);
}

TEST_F(SensordStatisticsTest, SayThatTheProviderChangedMeanwhile) {
  if (const std::string reason = obstacle("netlink"); !reason.empty()) GTEST_SKIP() << reason;
  ASSERT_TRUE(sensor_.start({"--provider", "auto"})) << sensor_.log();
  auto asked = std::async(std::launch::async, [&] {
    return ask_sensor(sensor_.socket(), {{"request", "ebpf-statistics"}, {"seconds", 8}}, 60s);
  });
  std::this_thread::sleep_for(500ms);
  const base::Json answer = sensor_.ask(
      {{"request", "config"}, {"name", "ebpf_supplementary_event_provider"}, {"value", "disabled"}});
  EXPECT_EQ(answer["provider"], "netlink");
  const auto statistics = asked.get();
  ASSERT_FALSE(statistics.ok()) << statistics->dump();
  EXPECT_EQ(statistics.error().message(), "the event provider changed meanwhile");
}

TEST_F(SensordStatisticsTest, LastAsLongAsAskedForUnderAFloodAndNameItsCost) {
  ASSERT_TRUE(start()) << sensor_.log();
  std::atomic<bool> stop = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) {
    workers.emplace_back([&] {
      while (!stop) rename_twice();
    });
  }
  std::this_thread::sleep_for(1s);
  const auto begun = std::chrono::steady_clock::now();
  const base::Json statistics = *ask_sensor(
      sensor_.socket(),
      {{"request", "ebpf-statistics"}, {"seconds", 3}, {"top", 5}, {"cpu", true}, {"advice", true}}, 60s);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  stop = true;
  for (std::thread& worker : workers) worker.join();
  // The request itself waits its turn among the events, on a host that may have other work.
  EXPECT_LE(statistics["seconds"].get<double>(), std::ceil(took.count())) << "it says how long it really was";
  EXPECT_LT(took.count(), 10.0) << "timers are served while events come";
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const base::Json& cost = statistics["top_initiators_by_cpu"][0];
  EXPECT_EQ(cost["path"], self);
  EXPECT_GT(cost["kernel_ms"].get<double>(), 0.0);
  EXPECT_GT(cost["daemon_ms_estimated"].get<double>(), 0.0);
  EXPECT_LE(cost["kernel_ms"].get<double>(), took.count() * 1e3 * std::thread::hardware_concurrency());
  bool process = false, folder = false;
  for (const base::Json& advice : statistics["advice"]) {
    process = process || (advice["type"] == "process" && advice["path"] == self);
    if (advice["type"] == "folder" && advice["path"] == sensor_.file("work")) {
      folder = true;
      EXPECT_GT(advice["blinds"]["rename"], 0);
    }
  }
  EXPECT_TRUE(process && folder) << statistics["advice"];
}

TEST_F(SensordStatisticsTest, AProcessHasOneIdentityBeforeAndAfterTheStart) {
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const std::string made = sensor_.file("made");
  const pid_t pid = ::fork();
  if (pid == 0) {
    char byte = 0;
    ::_exit(::read(go[0], &byte, 1) == 1 && ::mkdir(made.c_str(), 0700) == 0 ? 0 : 1);
  }
  ASSERT_TRUE(start()) << sensor_.log();
  EXPECT_EQ(::write(go[1], "x", 1), 1);
  ::waitpid(pid, nullptr, 0);
  ::close(go[0]);
  ::close(go[1]);
  const auto identity = [&](const char* action) {
    const base::Json event =
        sensor_.wait_for(R"("process":{"pid":)" + std::to_string(pid) + ",",
                         [&](const base::Json& candidate) { return candidate["event"]["action"] == action; });
    EXPECT_FALSE(event.is_null()) << action;
    return event.is_null() ? base::Json() : event["process"]["entity_id"];
  };
  const base::Json running = identity("running");
  EXPECT_TRUE(running.is_string()) << running;
  EXPECT_EQ(identity("mkdir"), running);
  EXPECT_EQ(identity("exit"), running);
}

TEST_F(SensordStatisticsTest, FeaturesSayWhatIsOnAndWhatTheKernelAllows) {
  std::ofstream(sensor_.file("managed.json"))
      << R"({"features":{"ebpfSupplementaryEventProvider":"enabled","other":"on"},"exclusionSettings":)"
      << R"({"exclusions":[{"$type":"excludedPath","isDirectory":true,"path":"/srv","scopes":["global"]}]}})";
  ASSERT_TRUE(start()) << sensor_.log();
  const base::Json features = sensor_.ask({{"request", "health"}, {"details", "features"}});
  EXPECT_EQ(features["feature: ebpfSupplementaryEventProvider"], "enabled");
  EXPECT_EQ(features["feature: other"], "on (not a feature of this sensor)");
  EXPECT_EQ(features["exclusions: folder"], 1);
  EXPECT_EQ(features["exclusions: process"], 0);
  EXPECT_THAT(features["events: file"].dump(), testing::HasSubstr(R"("rename")"));
  EXPECT_THAT(features["events: network, not watched"].dump(), testing::HasSubstr(R"("send")"));
  EXPECT_THAT(features["managed"].dump(), testing::HasSubstr("exclusions: folder"));
}

}  // namespace
}  // namespace auditshift::sensor
