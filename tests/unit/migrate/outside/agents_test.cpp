// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/outside/choose_agent.h"
#include "migrate/outside/mdatp_agent.h"
#include "scripted_processes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::outside {
namespace {

using testing::HasSubstr;

class Agents : public testing::Test {
 protected:
  std::shared_ptr<const base::Sysroot> files() { return std::make_shared<const base::Sysroot>(tree_.open()); }
  MdatpAgent mdatp() { return {files(), processes_}; }
  base::Result<std::shared_ptr<Agent>> choose(std::string_view wanted) {
    return choose_agent(wanted, files(), processes_, nullptr);
  }

  tests::TemporaryTree tree_;
  std::shared_ptr<tests::ScriptedProcesses> processes_ = std::make_shared<tests::ScriptedProcesses>();
};

TEST_F(Agents, AreChosenByWhatIsInstalled) {
  EXPECT_EQ(choose("auto").error().code(), base::Errc::not_found);
  tree_.file("/etc/auditshift/managed.json", "{}");
  EXPECT_EQ((*choose("auto"))->kind(), AgentKind::native);
  EXPECT_EQ(choose("mdatp").error().code(), base::Errc::not_found);
  tree_.file("/usr/bin/mdatp", "");
  EXPECT_EQ((*choose("auto"))->kind(), AgentKind::mdatp) << "its rules are what is to be moved";
  EXPECT_EQ((*choose("native"))->kind(), AgentKind::native);
  EXPECT_EQ((*choose("mdatp"))->managed_file(), "/etc/opt/microsoft/mdatp/managed/mdatp_managed.json");
  EXPECT_EQ(choose("falcon").error().code(), base::Errc::invalid);
}

TEST_F(Agents, DefenderIsFoundInACustomPlace) {
  tree_.file("/etc/opt/microsoft/mdatp/mde_path.json", R"({"path": "/custom"})");
  tree_.file("/custom/opt/microsoft/mdatp/sbin/wdavdaemonclient", "");
  processes_->answer("/custom/opt/microsoft/mdatp/sbin/wdavdaemonclient health", 0,
                     "healthy : true\nsupplementary_events_subsystem : \"ebpf\"\n");
  ASSERT_TRUE(mdatp().status().ok());
  EXPECT_EQ(mdatp().status()->subsystem, "ebpf");
}

TEST_F(Agents, DefendersHealthIsReadInEveryForm) {
  tree_.file("/usr/bin/mdatp", "");
  const std::string health = "/usr/bin/mdatp health";
  struct {
    int exit_code;
    const char* output;
    const char* subsystem;
    bool healthy;
  } const forms[] = {
      {0,
       "healthy                                     : true\nsupplementary_events_subsystem              : "
       "\"auditd\"\n",
       "auditd", true},
      {0,
       "ATTENTION: No license found.\nhealthy : false\nsupplementary_events_subsystem : \"eBPF\" [managed]\n",
       "ebpf", false},
      {1, "healthy : false\nsupplementary_events_subsystem : \"netlink\"\n", "netlink", false},
      {0, R"({"healthy": true, "supplementaryEventsSubsystem": {"value": "ebpf", "managed": true}})", "ebpf",
       true},
      {0, "healthy : false\nsupplementary_events_subsystem : \"no active supplementary event provider\"\n",
       "", false},
  };
  for (const auto& form : forms) {
    SCOPED_TRACE(form.output);
    processes_ = std::make_shared<tests::ScriptedProcesses>();
    processes_->answer(health, form.exit_code, form.output);
    const auto status = mdatp().status();
    ASSERT_TRUE(status.ok()) << status.error().message();
    EXPECT_EQ(status->subsystem, form.subsystem);
    EXPECT_EQ(status->healthy, form.healthy);
  }
}

TEST_F(Agents, DefendersRefusalsKeepTheirKind) {
  tree_.file("/usr/bin/mdatp", "");
  const std::string set = "/usr/bin/mdatp config ebpf-supplementary-event-provider --value enabled";
  struct {
    const char* said;
    base::Errc code;
    const char* message;
  } const refusals[] = {
      {"This command needs to be executed with superuser privileges", base::Errc::permission, "superuser"},
      {"ERROR: Could not connect to the daemon.", base::Errc::io, "cannot be reached"},
      {"Unknown command: ebpf-supplementary-event-provider", base::Errc::unsupported, "does not know"},
      {"Tamper protection is on", base::Errc::io, "Tamper protection is on"},
      {"", base::Errc::io, "exit status 2"},
  };
  for (const auto& refusal : refusals) {
    SCOPED_TRACE(refusal.said);
    processes_ = std::make_shared<tests::ScriptedProcesses>();
    processes_->answer(set, 2, refusal.said);
    const auto refused = mdatp().set_ebpf(true);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), refusal.code);
    EXPECT_THAT(refused.error().message(), HasSubstr(refusal.message));
  }
  processes_ = std::make_shared<tests::ScriptedProcesses>();
  processes_->answer(set, 0, "Configuration property updated");
  EXPECT_TRUE(mdatp().set_ebpf(true).ok());
}

TEST(MdatpText, FindsTheProbeInTheDocumentedLayout) {
  const std::string text =
      "Output\nMonitor 20 seconds\nTop file paths:\n/var/log/microsoft/mdatp/microsoft_defender.log : 10\n"
      "/srv/probe-1/one : 7\n/srv/probe-1/other : 8\n/srv/probe-12/one : 100\nTop initiator paths:\n"
      "/usr/bin/stress-ng : 50000\n/usr/bin/auditshift : 15\nTop syscall ids:\n82 : 1699333\n";
  EXPECT_EQ(find_in_statistics(text, "Top file paths", "/srv/probe-1"), 15U);
  EXPECT_EQ(find_in_statistics(text, "Top initiator paths", "/usr/bin/auditshift"), 15U);
  EXPECT_EQ(find_in_statistics(text, "Top initiator paths", "/srv/probe-1"), std::nullopt);
  EXPECT_EQ(find_in_statistics("", "Top file paths", "/"), std::nullopt);
  EXPECT_EQ(parse_field_answer("ATTENTION: x\n\"ebpf\" [managed]\n"), "ebpf");
  EXPECT_EQ(parse_field_answer("ATTENTION: x\n"), "");
  EXPECT_EQ(sum_of_counters("events : 5\nname: not a number\ndropped : 2\n"), 7U);
  EXPECT_EQ(sum_of_counters("nothing here"), std::nullopt);
}

}  // namespace
}  // namespace auditshift::migrate::outside
