// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/migrate/change/fakes.h"
#include "tests/unit/migrate/fake_host.h"

namespace auditshift::migrate::change {
namespace {

using ::testing::HasSubstr;

constexpr const char* kUser =
    "-w /etc/passwd -p wa -k identity\n"
    "-a always,exit -F arch=b64 -S adjtimex -k time\n";

/// A switched host: the user's rules on disk and in the kernel, the agent on eBPF.
struct Switched {
  FakeHost files;
  std::shared_ptr<tests::FakeKernel> kernel = std::make_shared<tests::FakeKernel>(kUser);
  std::shared_ptr<tests::FakeAgent> agent = std::make_shared<tests::FakeAgent>();
  Host host;
  Plan plan;
  VerifyOptions options;

  Switched() {
    files.mdatp("101.24082.0004", "ebpf").augenrules().rules("50-user.rules", kUser);
    agent->subsystem = "ebpf";
    host.files = std::make_shared<base::Sysroot>(*base::Sysroot::open(files.root()));
    host.audit = kernel;
    host.clock = std::make_shared<base::FixedClock>(*base::parse_utc("2024-06-03T08:00:00Z"));
    host.agent = agent;
    const base::Json rules = base::Json::array(
        {"-w /etc/passwd -p wa -k identity", "-a always,exit -F arch=b64 -S adjtimex -F key=time"});
    plan.expectations = {{"provider", "ebpf"},
                         {"audit_state", "mutable"},
                         {"live_rules", rules},
                         {"boot_rules", rules},
                         {"exclusions", base::Json::array()}};
    options.plan = &plan;
    options.since = *base::parse_utc("2024-06-03T07:00:00Z");
  }
  /// The checks that failed, "id: text".
  std::vector<std::string> failures() {
    const auto verification = verify_host(host, options);
    EXPECT_TRUE(verification.ok());
    std::vector<std::string> failed;
    for (const Verified& check : verification->checks)
      if (!check.ok) failed.push_back(check.id + ": " + check.text);
    return failed;
  }
};

TEST(Verify, ASwitchedHostHolds) {
  Switched on;
  EXPECT_THAT(on.failures(), ::testing::IsEmpty());
  on.options.plan = nullptr;
  EXPECT_THAT(on.failures(), ::testing::IsEmpty()) << "without a transaction, too";
}

TEST(Verify, SeesDefendersRulesWhereverTheyCameBack) {
  Switched on;
  on.files.rules("mdatp.rules", "# Managed by Puppet\n-a always,exit -F arch=b64 -S connect -k mdatp\n");
  on.files.write("/etc/audit/audit.rules", "-a always,exit -F arch=b64 -S chmod -k mdatpmbr\n");
  on.kernel->load("-a always,exit -F arch=b64 -S connect -k mdatp\n");
  on.files.write("/var/log/audit/audit.log",
                 "type=SYSCALL msg=audit(1717399000.000:7): arch=c000003e syscall=257 success=yes "
                 "exe=\"/opt/puppetlabs/puppet/bin/ruby\" key=(null)\n"
                 "type=PATH msg=audit(1717399000.000:7): item=1 name=\"/etc/audit/rules.d/mdatp.rules\" "
                 "nametype=CREATE\n");
  const auto failed = on.failures();
  EXPECT_THAT(failed, ::testing::Contains(HasSubstr("kernel-rules: 1 rule of Defender's is loaded")));
  EXPECT_THAT(failed, ::testing::Contains(::testing::AllOf(
                          HasSubstr("rules-d: "), HasSubstr("mdatp.rules: written"),
                          HasSubstr("by /opt/puppetlabs/puppet/bin/ruby"), HasSubstr("the mark of Puppet"))));
  EXPECT_THAT(failed, ::testing::Contains(HasSubstr("compiled-rules: ")));
}

TEST(Verify, SeesARuleOfTheUserThatIsGoneOrMoved) {
  Switched on;
  ASSERT_TRUE(on.kernel->remove(tests::FakeKernel::rule("-w /etc/passwd -p wa -k identity")).ok());
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("user-rules-live: ")));
  on.kernel->load("-w /etc/passwd -p wa -k identity\n");
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("another order")));
  Switched disk;
  disk.files.rules("50-user.rules", "-w /etc/passwd -p wa -k identity\n");
  EXPECT_THAT(disk.failures(), ::testing::ElementsAre(HasSubstr("user-rules-disk: ")));
}

TEST(Verify, SeesAnAgentThatIsNotOnEbpf) {
  Switched on;
  on.agent->subsystem = "netlink";
  on.agent->flows = false;
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("provider: "), HasSubstr("flow: ")));
  on.host.agent = nullptr;
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("provider: there is no agent")));
}

TEST(Verify, SeesALockThatIsGone) {
  Switched on;
  on.plan.expectations["audit_state"] = "immutable";
  EXPECT_THAT(on.failures(), ::testing::ElementsAre("audit-state: audit is mutable, it was immutable"));
}

TEST(Verify, SeesExclusionsThatAreNotInForce) {
  Switched on;
  on.plan.expectations["exclusions"] = base::Json::array({{{"kind", "folder"}, {"value", "/srv/data"}}});
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("exclusions: not in")));
  on.files.managed(R"({"exclusionSettings": {"exclusions": [
    {"$type": "excludedPath", "isDirectory": true, "path": "/srv/data", "scopes": ["global"]}]}})");
  EXPECT_THAT(on.failures(), ::testing::IsEmpty());
}

TEST(Verify, SeesNewRecordsWithDefendersKeys) {
  Switched on;
  const std::string record = ".123:9): arch=c000003e syscall=42 exe=\"/usr/bin/curl\" key=\"mdatp\"\n";
  on.files.write("/var/log/audit/audit.log", "type=SYSCALL msg=audit(1717390000" + record);
  EXPECT_THAT(on.failures(), ::testing::IsEmpty()) << "that was before the switch";
  on.files.write("/var/log/audit/audit.log",
                 "type=SYSCALL msg=audit(1717399000" + record +
                     // Two keys, as the kernel writes them.
                     "type=SYSCALL msg=audit(1717399001.000:10): arch=c000003e syscall=42 exe=\"/a\" "
                     "key=6D696E65016D646174706D6272\n"
                     "type=SYSCALL msg=audit(1717399002.000:11): arch=c000003e syscall=42 exe=\"/a\" "
                     "key=\"not-mdatp\"\n");
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("audit-log: 2 records")));
}

TEST(Verify, AClockThatWentBackMakesNoNewRecordsOfOldOnes) {
  Switched on;
  const std::string before =
      "type=SYSCALL msg=audit(1717399000.123:9): arch=c000003e syscall=42 exe=\"/a\" key=\"mdatp\"\n";
  const std::string start = "type=DAEMON_START msg=audit(1717395000.456:77): op=start ver=3.0.7\n";
  on.files.write("/var/log/audit/audit.log", before + start);
  EXPECT_THAT(on.failures(), ::testing::IsEmpty()) << "they were written before the clock went back";
  on.files.write("/var/log/audit/audit.log", before + start + before);
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("audit-log: 1 record ")));
}

TEST(Verify, NorDoesAClockThatWentBackByLessThanTheBootTook) {
  Switched on;
  const std::string before =
      "type=SYSCALL msg=audit(1717399000.123:900): arch=c000003e syscall=42 exe=\"/a\" key=\"mdatp\"\n";
  const std::string start = "type=DAEMON_START msg=audit(1717399007.456:4077): op=start ver=3.0.7\n";
  const auto service = [](const char* serial) {
    return std::string("type=SERVICE_START msg=audit(1717399007.500:") + serial + "): pid=1 uid=0\n";
  };
  on.files.write("/var/log/audit/audit.log", before + start + service("12"));
  EXPECT_THAT(on.failures(), ::testing::IsEmpty())
      << "the kernel's numbers began anew: they are of the boot before";
  on.files.write("/var/log/audit/audit.log", before + start + service("905"));
  EXPECT_THAT(on.failures(), ::testing::ElementsAre(HasSubstr("audit-log: 1 record ")))
      << "the daemon alone was started anew";
}

}  // namespace
}  // namespace auditshift::migrate::change
