// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/defender_era_host.h"

#include <gtest/gtest.h>

#include "migrate/change/make_plan.h"
#include "migrate/change/observe.h"
#include "migrate/change/verify.h"

namespace auditshift::tests {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

const char* const kDefenderRules =
    "-a always,exit -F arch=b64 -S connect,accept -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S chmod -F key=mdatpmbr\n";

namespace {

constexpr const char* kBase = "-D\n-b 8192\n-w /etc/passwd -p wa -k identity\n";
constexpr const char* kUser =
    "# of the user \n"
    "-a always,exit -F arch=b64 -S ptrace -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S mount -F key=mounts\n"
    "-a always,exit -F arch=b64 -S adjtimex -F key=time\n";

void prepare(SimulatedHost& host, const std::string& last_line) {
  host.file("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\n");
  host.file("/opt/microsoft/mdatp/sbin/wdavdaemon", "");
  host.file("/usr/lib/systemd/system/mdatp.service", "[Install]\nWantedBy=multi-user.target\n");
  host.file("/usr/lib/systemd/system/auditd.service",
            "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load\n");
  host.link("/etc/systemd/system/multi-user.target.wants/mdatp.service",
            "/usr/lib/systemd/system/mdatp.service");
  host.link("/etc/systemd/system/multi-user.target.wants/auditd.service",
            "/usr/lib/systemd/system/auditd.service");
  host.file("/etc/audit/rules.d/10-base.rules", kBase);
  host.file("/etc/audit/rules.d/mdatp.rules", kDefenderRules, 0600);
  host.file("/etc/audit/rules.d/mdatp.rate_limit.rules",
            "\n## managed\n## by\n## cdbb87e7-66d1-40e8-b090-30ff3e88fc08\n-r 2500\n");
  host.file("/etc/audit/rules.d/zz-user.rules", kUser + last_line);
  host.file("/etc/audit/plugins.d/mdatp.conf",
            "active = yes\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\n");
  host.file("/etc/audit/audit.rules", "");
  host.file(SimulatedHost::kManaged, "{\"cloudService\": {}, \"info\": 1, \"info\": 2}\n", 0604);
  auto& unit = host.world().services["mdatp.service"];
  unit.loaded = unit.active = true;
  unit.enabled = migrate::Enabled::yes;
  host.boot();
}

Plan real_plan(SimulatedHost& host, const std::optional<PackageFacts>& held) {
  PlanOptions options;
  // What a simulated host does not tell: its kernel and the agent's build.
  options.accept = {"HST001", "AGT003", "HST007", "HST008"};
  const migrate::Assessment assessment =
      migrate::assess(observe(host.host()), {options.skip, options.accept});
  auto sources = read_plan_sources(*host.host().files, assessment);
  EXPECT_TRUE(sources.ok()) << sources.error().message();
  sources->held_package = held;
  auto answer = make_plan(assessment, *sources, options, *base::parse_utc("2026-11-21T08:00:00Z"));
  EXPECT_TRUE(answer.ok()) << answer.error().message();
  for (const std::string& refusal : answer->refusals) ADD_FAILURE() << refusal;
  return answer->plan ? *answer->plan : Plan();
}

}  // namespace

FaultScenario defender_era_scenario(const std::string& last_line) {
  FaultScenario scenario;
  scenario.options.augenrules = true;
  scenario.prepare = [last_line](SimulatedHost& host) { prepare(host, last_line); };
  scenario.plan = [](SimulatedHost& host) { return real_plan(host, std::nullopt); };
  scenario.verify = [](const Host& host, const Plan& plan) {
    VerifyOptions options;
    options.plan = &plan;
    return verify_host(host, options);
  };
  return scenario;
}

FaultScenario held_build_scenario() {
  FaultScenario scenario = defender_era_scenario("");
  scenario.prepare = [prepare = scenario.prepare](SimulatedHost& host) {
    host.world().packages[kAgentPackage] = "101.24072.0001";
    host.world().pinned[kAgentPackage] = true;
    host.world().repository[kAgentPackage] = {"101.24082.0004", "101.24072.0001"};
    prepare(host);
  };
  scenario.plan = [](SimulatedHost& host) {
    const auto held = collect_package_facts(*host.host().packages, kAgentPackage);
    EXPECT_TRUE(held.ok());
    return real_plan(host, *held);
  };
  return scenario;
}

}  // namespace auditshift::tests
