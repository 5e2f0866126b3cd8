// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/migrate/change/scenarios.h"

#include <sys/xattr.h>
#include <unistd.h>

#include "migrate/change/file_steps.h"
#include "tests/unit/migrate/change/test_steps.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it

constexpr const char* kDefender = "-a always,exit -F arch=b64 -S execve -F key=mdatp";
constexpr const char* kUser1 = "-w /etc/passwd -p wa -k identity";
constexpr const char* kUser2 = "-a always,exit -F arch=b64 -S mount -F key=mounts";

void prepare(SimulatedHost& host, const std::string& last_line) {
  host.file("/etc/audit/rules.d/10-base.rules", "-D\n-b 8192\n" + std::string(kUser1) + "\n");
  host.file("/etc/audit/rules.d/mdatp.rules", std::string(kDefender) + "\n");
  host.file("/etc/audit/rules.d/99-user.rules", std::string(kUser2) + "\n" + last_line);
  host.file("/etc/audit/audit.rules",
            "-D\n-b 8192\n" + std::string(kUser1) + "\n" + kUser2 + "\n" + kDefender + "\n" + last_line);
  host.file(SimulatedHost::kManaged, "{\"exclusionSettings\":{}, \"foreign\": [1,2]}\n", 0604);
  host.link("/etc/audit/plugins.d/mdatp.conf", "../../opt/mdatp.conf");
  // Attributes that a rollback has to bring back, as far as this user may set them.
  const std::string rules = host.real("/etc/audit/rules.d/mdatp.rules");
  if (::geteuid() == 0) {
    (void)::chown(rules.c_str(), 4, 24);
    (void)::setxattr(rules.c_str(), "trusted.note", "kept", 4, 0);
  }
  host.boot();
}

std::string without_defender(const std::string& last_line) {
  return "-D\n-b 8192\n" + std::string(kUser1) + "\n" + kUser2 + "\n" + last_line;
}

Plan bare_plan() {
  Plan plan;
  plan.tool_version = "test";
  plan.created_at = *base::parse_utc("2026-11-21T08:00:00Z");
  plan.machine_id = "m";
  plan.facts_hash = "f";
  plan.agent = migrate::AgentKind::mdatp;
  return plan;
}

std::vector<StepSpec> common_steps(const std::string& last_line) {
  return {
      write_file("1-managed", SimulatedHost::kManaged,
                 "{\"exclusionSettings\":{\"new\":1}, \"foreign\": [1,2]}\n"),
      write_file("2-new", "/etc/auditshift/profile/default.conf", "on\n", {.mode = 0600}),
      {.id = "3-provider", .type = "test-provider", .parameters = base::Json::object()},
      remove_file("4-rules-d", "/etc/audit/rules.d/mdatp.rules"),
      write_file("5-compiled", "/etc/audit/audit.rules", without_defender(last_line)),
  };
}

/// What the real verification does, as far as there is a simulated world for it.
base::Result<Verification> verify(const Host& host, const Plan&) {
  Verification verification;
  bool clean = !host.files->exists("/etc/audit/rules.d/mdatp.rules");
  for (const auditd::Rule& rule : host.audit->rules().rules)
    clean = clean && rule.keys() != std::vector<std::string>{"mdatp"};
  verification.checks.push_back({.id = "rules", .ok = clean, .text = "Defender's rules"});
  verification.checks.push_back(
      {.id = "provider", .ok = host.agent->status()->subsystem == "ebpf", .text = "the provider"});
  return verification;
}

constexpr const char* kLate = "/etc/audit/rules.d/late.rules";

Plan more(const Plan& before) {
  Plan plan = bare_plan();
  plan.steps = {remove_file("1-late", kLate),
                write_file("2-more", "/etc/auditshift/profile/more.conf", "on\n")};
  plan.before_reboot = plan.steps.size();
  plan.reboot = before.reboot;
  plan.reboot_reason = "the kernel's audit rules are still locked";
  plan.expectations = before.expectations;
  return plan;
}

}  // namespace

FaultScenario remedied(FaultScenario scenario) {
  scenario.prepare = [prepare = scenario.prepare](SimulatedHost& host) {
    host.file(kLate, "# late\n", 0640);
    prepare(host);
  };
  scenario.verify = [](const Host& host, const Plan& plan) {
    auto verification = verify(host, plan);
    if (verification)
      verification->checks.push_back(
          {.id = "late", .ok = !host.files->exists(kLate), .text = "what is late"});
    return verification;
  };
  scenario.remedy = [](const Host&, const Plan& plan, const Verification&) {
    return base::Result<std::optional<Plan>>(more(plan));
  };
  return scenario;
}

FaultScenario extended(FaultScenario scenario) {
  scenario.prepare = [prepare = scenario.prepare](SimulatedHost& host) {
    host.file(kLate, "# late\n", 0640);
    prepare(host);
  };
  scenario.extension = [plan = scenario.plan](SimulatedHost& host) { return more(plan(host)); };
  return scenario;
}

FaultScenario changeable_scenario() {
  FaultScenario scenario;
  scenario.prepare = [](SimulatedHost& host) { prepare(host, ""); };
  scenario.plan = [](SimulatedHost&) {
    Plan plan = bare_plan();
    plan.steps = common_steps("");
    plan.steps.push_back(remove_file("6-plugin", "/etc/audit/plugins.d/mdatp.conf"));
    StepSpec kernel{.id = "3-kernel", .type = "test-kernel-rules", .parameters = base::Json::object()};
    kernel.parameters["rules"] = {kDefender};
    plan.steps.insert(plan.steps.begin() + 3, kernel);
    plan.before_reboot = plan.steps.size();
    return plan;
  };
  scenario.make = make_test_step;
  scenario.verify = verify;
  return scenario;
}

FaultScenario locked_scenario() {
  FaultScenario scenario = changeable_scenario();
  scenario.prepare = [](SimulatedHost& host) { prepare(host, "-e 2\n"); };
  scenario.plan = [](SimulatedHost&) {
    Plan plan = bare_plan();
    plan.steps = common_steps("-e 2\n");
    plan.before_reboot = plan.steps.size();
    plan.steps.push_back(remove_file("6-plugin", "/etc/audit/plugins.d/mdatp.conf"));
    plan.reboot = true;
    plan.reboot_reason = "the kernel's audit rules are locked";
    plan.expectations["audit_state"] = "immutable";
    return plan;
  };
  return scenario;
}

}  // namespace auditshift::tests
