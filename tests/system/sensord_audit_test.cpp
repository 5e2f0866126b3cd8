// SPDX-License-Identifier: Apache-2.0
// The daemon with the provider that listens to the audit stream: what rules record comes out of it as events.
// The rules are for one user id that nobody has; audit is switched on for the test and back after it.
#include <gtest/gtest.h>
#include <libaudit.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "auditd/kernel.h"
#include "auditd/parser.h"
#include "kernel_lock.h"
#include "sensor_process.h"

namespace auditshift::sensor {
namespace {

constexpr uid_t kMarkedUser = 64987;

class SensordAuditTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "audit rules need root";
    ASSERT_TRUE(lock_.held());
    const auditd::AuditStatus status = kernel_.status();
    if (status.enabled.value_or(2) > 1) GTEST_SKIP() << "audit is locked or missing here: " << status.reason;
    enabled_before_ = *status.enabled;
    socket_.reset(::audit_open());
    const std::string user = " -F uid=" + std::to_string(kMarkedUser) + " -k auditshift-test";
    for (const char* calls : {"execve,exit_group", "rename,mkdir,unlinkat"}) {
      const auditd::Line line =
          auditd::parse_line("-a always,exit -F arch=b64 -S " + std::string(calls) + user, {}, {});
      ASSERT_TRUE(line.rule.has_value());
      const auto added = kernel_.add(*line.rule);
      ASSERT_TRUE(added.ok()) << added.error().message();
      rules_.push_back(*line.rule);
    }
    ASSERT_GT(::audit_set_enabled(socket_.get(), 1), 0);
  }
  void TearDown() override {
    for (const auditd::Rule& rule : rules_) EXPECT_TRUE(kernel_.remove(rule).ok());
    if (socket_ && enabled_before_ == 0) ::audit_set_enabled(socket_.get(), 0);
  }

  auditshift::testing::KernelLock lock_;
  auditd::LiveKernelAudit kernel_{{}};
  base::Fd socket_;
  std::uint32_t enabled_before_ = 1;
  std::vector<auditd::Rule> rules_;
  SensorProcess sensor_;
};

TEST_F(SensordAuditTest, WritesWhatTheRulesRecord) {
  ASSERT_TRUE(sensor_.start({"--provider", "auditd"})) << sensor_.log();
  EXPECT_EQ(sensor_.ask({{"request", "health"}})["supplementary_events_subsystem"], "auditd");
  char folder[] = "/tmp/auditshift-marked-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  ASSERT_EQ(::chown(folder, kMarkedUser, kMarkedUser), 0);
  const std::string directory = folder;
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool well = ::chdir(folder) == 0 && ::setgid(kMarkedUser) == 0 && ::setuid(kMarkedUser) == 0;
    well = well && ::mkdir("made", 0700) == 0 && ::rename("made", "renamed") == 0;
    if (well) ::execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  const auto event = [&](const char* action) {
    return sensor_.wait_for(
        R"("process":{"pid":)" + std::to_string(pid) + ",",
        [&](const base::Json& candidate) { return candidate["event"]["action"] == action; });
  };
  const base::Json made = event("mkdir"), renamed = event("rename"), ran = event("exec"),
                   ended = event("exit");
  std::filesystem::remove_all(directory);
  ASSERT_FALSE(made.is_null() || renamed.is_null() || ran.is_null() || ended.is_null());
  EXPECT_EQ(made["file"]["path"], directory + "/made");
  EXPECT_EQ(renamed["file"]["path"], directory + "/renamed") << renamed;
  EXPECT_EQ(made["event"]["provider"], "auditd") << made;
  EXPECT_EQ(made["user"]["id"], std::to_string(kMarkedUser)) << made;
  EXPECT_EQ(ended["process"]["exit_code"], 3) << ended;
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
  EXPECT_EQ(kernel_.rules().rules.size(), rules_.size()) << "no rule is touched";
}

}  // namespace
}  // namespace auditshift::sensor
