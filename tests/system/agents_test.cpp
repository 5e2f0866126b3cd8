// SPDX-License-Identifier: Apache-2.0
// Agents as they run: Defender's commands, answered by the stand-in, and the real sensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>

#include "base/process.h"
#include "migrate/outside/mdatp_agent.h"
#include "migrate/outside/native_agent.h"
#include "sensor_process.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kManaged = "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json";

class Defender : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(tree_.real("/program/state"));
    std::filesystem::create_directories(tree_.real("/etc/audit/rules.d"));
    std::filesystem::copy_file(AUDITSHIFT_STANDIN, tree_.real("/program/mdatp"));
    options_.cli = tree_.real("/program/mdatp");
    options_.probe_directory = tree_.real("/probe");
    options_.limit = 10s;
    options_.counting = 700ms;
  }
  MdatpAgent agent(const std::map<std::string, std::string>& state = {}) {
    std::string text = "loads=no\nroot=" + tree_.root() + "\n";
    for (const auto& [key, value] : state) text += key + "=" + value + "\n";
    tree_.file("/program/state/state", text);
    return {std::make_shared<const base::Sysroot>(tree_.open()),
            std::make_shared<base::SystemProcessRunner>(), options_};
  }
  std::string needs_root() const { return ::geteuid() == 0 ? "" : "needs root, as mdatp config does"; }

  tests::TemporaryTree tree_;
  MdatpOptions options_;
};

TEST_F(Defender, TellsItsStateInBothEras) {
  const auto old = agent({{"version", "101.24072.0001"}, {"attention", "something is the matter"}}).status();
  ASSERT_TRUE(old.ok()) << old.error().message();
  EXPECT_EQ(old->subsystem, "auditd");
  EXPECT_TRUE(old->healthy);
  EXPECT_EQ(old->health.get("app_version"), "101.24072.0001");
  EXPECT_EQ(old->health.attention, "something is the matter");

  const auto recent = agent({{"version", "101.24082.0004"}}).status();
  ASSERT_TRUE(recent.ok());
  EXPECT_EQ(recent->subsystem, "ebpf");
}

TEST_F(Defender, IsSwitchedAndBackByItsOwnCommand) {
  if (!needs_root().empty()) GTEST_SKIP() << needs_root();
  for (const char* dot : {"yes", "no"}) {
    MdatpAgent mdatp = agent({{"dot", dot}});
    ASSERT_TRUE(mdatp.set_ebpf(true).ok());
    EXPECT_EQ(mdatp.status()->subsystem, "ebpf");
    ASSERT_TRUE(mdatp.set_ebpf(false).ok());
    EXPECT_EQ(mdatp.status()->subsystem, "auditd");
    EXPECT_THAT(tree_.read("/etc/audit/rules.d/mdatp.rules"), HasSubstr("-k mdatp"));
  }
  MdatpAgent recent = agent({{"version", "101.24082.0004"}});
  ASSERT_TRUE(recent.set_ebpf(false).ok());
  EXPECT_EQ(recent.status()->subsystem, "netlink");
}

TEST_F(Defender, ObeysItsManagedConfigurationAndMarksIt) {
  tree_.file(kManaged, R"({"features": {"ebpfSupplementaryEventProvider": "enabled"}})");
  const auto status = agent().status();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->subsystem, "ebpf");
  EXPECT_TRUE(status->health.fields.at("supplementary_events_subsystem").managed);
}

TEST_F(Defender, TellsTheSubsystemByItsFieldWhereHealthDoesNotListIt) {
  tree_.file(kManaged, R"({"features": {"ebpfSupplementaryEventProvider": "enabled"}})");
  const auto status =
      agent({{"hides", "supplementary_events_subsystem"}, {"attention", "licence ends soon"}}).status();
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->subsystem, "ebpf");
  EXPECT_EQ(agent({{"hides", "supplementary_events_subsystem"}, {"field", "no"}}).status()->subsystem, "");
}

TEST_F(Defender, SaysWhyItCannotBeAsked) {
  const auto unreachable = agent({{"unreachable", "yes"}}).status();
  ASSERT_FALSE(unreachable.ok());
  EXPECT_THAT(unreachable.error().message(), HasSubstr("daemon cannot be reached"));
  EXPECT_THAT(unreachable.error().hint(), HasSubstr("systemctl start mdatp"));

  options_.limit = 500ms;
  const auto slow = agent({{"slow", "3"}}).status();
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().code(), base::Errc::timeout);

  const auto expired = agent({{"expired", "yes"}}).status();
  ASSERT_TRUE(expired.ok());
  EXPECT_FALSE(expired->healthy);
  EXPECT_THAT(expired->health.attention, HasSubstr("No license"));
  EXPECT_EQ(expired->health.get("licensed"), "false");
}

TEST_F(Defender, PassesOnWhyItRefuses) {
  const auto refused = agent({{"refuses", "yes"}}).set_ebpf(true);
  ASSERT_FALSE(refused.ok());
  if (needs_root().empty()) {
    EXPECT_THAT(refused.error().message(), HasSubstr("Failed to set configuration property"));
  }
  const auto root = agent({{"needs_root_even_for_root", "yes"}}).set_ebpf(true);
  ASSERT_FALSE(root.ok());
  EXPECT_EQ(root.error().code(), base::Errc::permission);
}

TEST_F(Defender, ProvesThatEventsFlowByItsStatistics) {
  if (!needs_root().empty()) GTEST_SKIP() << needs_root();
  const auto proof = agent({{"version", "101.24082.0004"}}).prove_flow(3s);
  ASSERT_TRUE(proof.ok()) << proof.error().message();
  EXPECT_TRUE(proof->seen) << proof->evidence;
  EXPECT_EQ(proof->by, FlowProof::By::probe);
  EXPECT_THAT(proof->evidence, HasSubstr("auditshift-probe-"));
  EXPECT_TRUE(std::filesystem::is_empty(tree_.real("/probe"))) << "the probe leaves nothing behind";
}

TEST_F(Defender, SeesNoFlowWhereThereIsNone) {
  if (!needs_root().empty()) GTEST_SKIP() << needs_root();
  const auto blind = agent({{"version", "101.24082.0004"}, {"blind", "yes"}}).prove_flow(2s);
  ASSERT_TRUE(blind.ok()) << blind.error().message();
  EXPECT_FALSE(blind->seen);
  EXPECT_THAT(blind->evidence, HasSubstr("named neither"));
  const auto still = agent({{"statistics", "no"}, {"blind", "yes"}}).prove_flow(2s);
  ASSERT_TRUE(still.ok());
  EXPECT_FALSE(still->seen);
  EXPECT_EQ(still->by, FlowProof::By::counters);
}

TEST_F(Defender, FallsBackToCountersThenToHealthAndSaysSo) {
  if (!needs_root().empty()) GTEST_SKIP() << needs_root();
  const auto counted = agent({{"version", "101.24082.0004"}, {"statistics", "no"}}).prove_flow(2s);
  ASSERT_TRUE(counted.ok()) << counted.error().message();
  EXPECT_TRUE(counted->seen) << counted->evidence;
  EXPECT_EQ(counted->by, FlowProof::By::counters);
  EXPECT_THAT(counted->evidence, HasSubstr("do not tell whose"));

  const auto told =
      agent({{"version", "101.24082.0004"}, {"statistics", "no"}, {"counters", "no"}}).prove_flow(2s);
  ASSERT_TRUE(told.ok());
  EXPECT_TRUE(told->seen);
  EXPECT_EQ(told->by, FlowProof::By::health);
  EXPECT_THAT(told->evidence, HasSubstr("no event was seen"));

  const auto on_auditd = agent({{"statistics", "no"}, {"counters", "no"}}).prove_flow(2s);
  ASSERT_TRUE(on_auditd.ok());
  EXPECT_FALSE(on_auditd->seen);
}

TEST_F(Defender, IsNotThere) {
  options_.cli.clear();
  const auto status = agent().status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), base::Errc::not_found);
}

TEST_F(Defender, StandInPutsItsRulesBackAsOldBuildsDo) {
  agent({{"subsystem", "ebpf"}, {"restores", "yes"}});
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    ::execl(options_.cli.c_str(), "mdatp", "--daemon", nullptr);
    ::_exit(127);
  }
  for (int tries = 0; tries < 100 && tree_.read("/etc/audit/rules.d/mdatp.rules").empty(); ++tries)
    ::usleep(50'000);
  ::kill(daemon, SIGTERM);
  ::waitpid(daemon, nullptr, 0);
  EXPECT_THAT(tree_.read("/etc/audit/rules.d/mdatp.rules"), HasSubstr("-k mdatpmbr"));
}

/// systemd as it is where it is not.
class NoServices final : public Services {
 public:
  bool running() const override { return false; }
  base::Result<UnitState> state(const std::string&) override { return none(); }
  base::Result<void> start(const std::string&) override { return none(); }
  base::Result<void> stop(const std::string&) override { return none(); }
  base::Result<void> restart(const std::string&) override { return none(); }
  base::Result<void> enable(const std::string&) override { return none(); }
  base::Result<void> disable(const std::string&) override { return none(); }
  base::Result<void> reload() override { return none(); }

 private:
  static base::Error none() { return base::Error(base::Errc::unsupported, "no systemd"); }
};

TEST(Native, TellsSwitchesAndProves) {
  if (const std::string reason = sensor::obstacle("ebpf"); !reason.empty()) GTEST_SKIP() << reason;
  tests::TemporaryTree tree;
  sensor::SensorProcess process;
  ASSERT_TRUE(process.start({"--provider", "auto"})) << process.log();
  NativeOptions options;
  options.socket = process.socket();
  options.managed_file = process.file("managed.json");
  options.probe_directory = tree.real("/probe");
  NativeAgent agent(std::make_shared<NoServices>(), options);

  const auto status = agent.status();
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(status->subsystem, "ebpf");
  EXPECT_TRUE(status->healthy);
  const auto proof = agent.prove_flow(10s);
  ASSERT_TRUE(proof.ok()) << proof.error().message();
  EXPECT_TRUE(proof->seen) << proof->evidence;
  EXPECT_THAT(proof->evidence, HasSubstr("saw it rename"));

  ASSERT_TRUE(agent.set_ebpf(false).ok());
  EXPECT_EQ(agent.status()->subsystem, "netlink");
  const auto without_files = agent.prove_flow(10s);
  ASSERT_TRUE(without_files.ok()) << without_files.error().message();
  EXPECT_TRUE(without_files->seen) << without_files->evidence;
  EXPECT_THAT(without_files->evidence, HasSubstr("netlink tells nothing of files"));
  ASSERT_TRUE(agent.set_ebpf(true).ok());
  EXPECT_EQ(agent.status()->subsystem, "ebpf");
}

TEST(Native, DoesNotRun) {
  NativeOptions options;
  options.socket = "/nonexistent/sensord.sock";
  NativeAgent agent(std::make_shared<NoServices>(), options);
  EXPECT_EQ(agent.status().error().code(), base::Errc::not_found);
  EXPECT_EQ(agent.set_ebpf(true).error().code(), base::Errc::not_found);
}

}  // namespace
}  // namespace auditshift::migrate::outside
