// SPDX-License-Identifier: Apache-2.0
// The daemon with providers that do as they are told.
#include "sensor/daemon.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "temporary_directory.h"

namespace auditshift::sensor {
namespace {

/// Has lost so many records, and works until it is to fail.
struct Role {
  std::string name;
  std::uint64_t lost = 0;
  bool tells_losses = false;
  bool fails = false;
};

class Actor final : public Provider {
 public:
  explicit Actor(Role role) : role_(std::move(role)) {}

  base::Result<void> start() override { return {}; }
  base::Result<std::size_t> poll(std::chrono::milliseconds, Consumer&) override {
    if (role_.fails) return base::Error(base::Errc::io, "broken");
    return std::size_t{0};
  }
  int descriptor() const override { return -1; }
  void tell_losses(Consumer& consumer) override {
    if (!role_.tells_losses || told_) return;
    told_ = true;
    Event event;
    event.kind = EventKind::loss;
    event.loss = {"full", role_.lost, 1, 2};
    consumer.consume(event);
    consumer.end_of_batch();
  }
  void stop() override {}
  std::vector<DropCounter> drops() const override { return {{"full", role_.lost, {}}}; }
  KindSet kinds() const override {
    KindSet kinds = {EventKind::running};  // so that nobody else tells what runs
    if (role_.tells_losses) kinds.insert(EventKind::loss);
    return kinds;
  }
  ProviderDescription describe() const override { return {role_.name, "", {}}; }

 private:
  Role role_;
  bool told_ = false;
};

class DaemonTest : public testing::Test {
 protected:
  void SetUp() override { ::sigprocmask(SIG_SETMASK, nullptr, &signals_); }
  void TearDown() override { ::sigprocmask(SIG_SETMASK, &signals_, nullptr); }

  /// Starts and stops a daemon with these providers, and says which losses it told: provider and count.
  std::vector<std::string> losses_with(const std::vector<Role>& roles) {
    DaemonOptions options;
    options.managed_file = directory_.file("managed.json");
    options.state_file = directory_.file("state.json");
    options.control_socket = directory_.file("socket");
    options.format = Format::raw;
    options.file.emplace().path = directory_.file("events");
    const auto host = base::Sysroot::open("/");
    const base::SystemClock clock;
    const auto candidates = [&](bool) {
      std::vector<ProviderFactory> factories;
      for (const Role& role : roles) {
        factories.push_back({role.name, [&role]() -> base::Result<std::unique_ptr<Provider>> {
                               return std::unique_ptr<Provider>(std::make_unique<Actor>(role));
                             }});
      }
      return factories;
    };
    Daemon daemon(options, candidates, *host, clock);
    const auto stop_at_once = []() -> base::Result<void> {
      ::raise(SIGTERM);  // the daemon has blocked it, and reads it in its loop
      return {};
    };
    const auto result = daemon.run(stop_at_once);
    EXPECT_TRUE(result.ok()) << result.error().message();
    std::vector<std::string> losses;
    std::ifstream lines(options.file->path);
    for (std::string line; std::getline(lines, line);) {
      const base::Json event = base::Json::parse(line);
      if (event["kind"] == "loss")
        losses.push_back(event["provider"].get<std::string>() + " " + event["loss"]["count"].dump());
    }
    return losses;
  }
  using Losses = std::vector<std::string>;

  TemporaryDirectory directory_;
  sigset_t signals_{};
};

TEST_F(DaemonTest, TellsAtTheEndWhatItsProviderLost) {
  EXPECT_EQ(losses_with({{.name = "auditd", .lost = 3}}), Losses{"auditd 3"});
}

TEST_F(DaemonTest, LetsAProviderThatTellsByItselfDoSoAtTheEnd) {
  EXPECT_EQ(losses_with({{.name = "auditd", .lost = 3, .tells_losses = true}}), Losses{"auditd 3"});
}

TEST_F(DaemonTest, TellsTheLossesOfEachProviderOnceAndInItsName) {
  EXPECT_EQ(losses_with({{.name = "auditd", .lost = 3, .tells_losses = true, .fails = true},
                         {.name = "netlink", .lost = 4}}),
            (Losses{"auditd 3", "netlink 4"}));
  EXPECT_EQ(losses_with({{.name = "auditd", .lost = 5, .fails = true},
                         {.name = "ebpf", .lost = 6, .tells_losses = true}}),
            (Losses{"auditd 3", "netlink 4", "auditd 5", "ebpf 6"}));
}

}  // namespace
}  // namespace auditshift::sensor
