// SPDX-License-Identifier: Apache-2.0
// The plan that this tool really makes, its real steps and its real verification, hurt at every fault point.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "migrate/change/make_plan.h"
#include "migrate/change/observe.h"
#include "migrate/change/verify.h"
#include "tests/unit/migrate/change/fault_harness.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

constexpr const char* kBase = "-D\n-b 8192\n-w /etc/passwd -p wa -k identity\n";
constexpr const char* kDefender =
    "-a always,exit -F arch=b64 -S connect,accept -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S chmod -F key=mdatpmbr\n";
constexpr const char* kUser =
    "# of the user \n"
    "-a always,exit -F arch=b64 -S ptrace -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S mount -F key=mounts\n"
    "-a always,exit -F arch=b64 -S adjtimex -F key=time\n";

/// A host of Defender's auditd era whose loader is augenrules: file names decide the order, so Defender's
/// rules stand before and between the user's.
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
  host.file("/etc/audit/rules.d/mdatp.rules", kDefender, 0600);
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

Plan real_plan(SimulatedHost& host) {
  PlanOptions options;
  // What a simulated host does not tell: its kernel and the agent's build.
  options.accept = {"HST001", "AGT003", "HST007", "HST008"};
  const migrate::Assessment assessment =
      migrate::assess(observe(host.host()), {options.skip, options.accept});
  const auto sources = read_plan_sources(*host.host().files, assessment);
  EXPECT_TRUE(sources.ok()) << sources.error().message();
  auto answer = make_plan(assessment, *sources, options, *base::parse_utc("2026-11-21T08:00:00Z"));
  EXPECT_TRUE(answer.ok()) << answer.error().message();
  for (const std::string& refusal : answer->refusals) ADD_FAILURE() << refusal;
  return answer->plan ? *answer->plan : Plan();
}

FaultScenario scenario(const std::string& last_line) {
  FaultScenario scenario;
  scenario.options.augenrules = true;
  scenario.prepare = [last_line](SimulatedHost& host) { prepare(host, last_line); };
  scenario.plan = real_plan;
  scenario.verify = [](const Host& host, const Plan& plan) {
    VerifyOptions options;
    options.plan = &plan;
    return verify_host(host, options);
  };
  return scenario;
}

/// AUDITSHIFT_FAULTS=all hurts every point of every recovery too; that takes minutes.
FaultLimits limits() {
  const char* all = std::getenv("AUDITSHIFT_FAULTS");
  return {.recovery_stride = all != nullptr && std::string(all) == "all" ? 1U : 97U};
}

void expect_whole(const FaultScenario& of, const char* name) {
  const FaultReport report = run_faults(of, limits());
  std::printf("%s: %zu fault points, %zu runs hurt, %zu states, %zu recoveries\n", name, report.points,
              report.runs, report.states, report.recoveries);
  for (const std::string& violation : report.violations) ADD_FAILURE() << violation;
  EXPECT_GT(report.points, 100U);
}

TEST(PlanFaults, TheRealPlanIsTheWholeOne) {
  SimulatedHost host({.augenrules = true});
  prepare(host, "");
  std::vector<std::string> types;
  for (const StepSpec& step : real_plan(host).steps) types.push_back(step.type);
  EXPECT_EQ(types, (std::vector<std::string>{"loaded-rules", "write-file", "provider", "wait-for-provider",
                                             "remove-file", "remove-file", "write-file", "compiled-rules",
                                             "audit-plugin", "kernel-rules"}));
}

TEST(PlanFaults, AChangeableHostEndsOldOrNew) { expect_whole(scenario(""), "real plan, changeable audit"); }

TEST(PlanFaults, ALockedHostEndsOldOrNewAcrossItsReboots) {
  expect_whole(scenario("-e 2\n"), "real plan, locked audit");
}

}  // namespace
}  // namespace auditshift::tests
