// SPDX-License-Identifier: Apache-2.0
// Plans of hosts: of the sample hosts of tests/fixtures/hosts against golden files (`./dev golden` writes
// them anew), and of small ones built here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/process.h"
#include "base/progress.h"
#include "migrate/change/make_plan.h"
#include "migrate/change/rule_cleanup.h"
#include "migrate/collect.h"
#include "migrate/paths.h"
#include "tests/unit/migrate/fake_host.h"

namespace auditshift::migrate::change {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const base::WallTime kNow = *base::parse_utc("2024-06-03T06:00:00Z");

/// The plan of a captured host. Owners and modes of the checkout are not the host's.
PlanAnswer plan_of(const std::string& root, const PlanOptions& options = {},
                   const std::optional<PackageFacts>& held = std::nullopt) {
  const auto world = captured_world(root);
  if (!world) throw std::runtime_error(world.error().message());
  base::NoProgress progress;
  CollectOptions collect;
  collect.agent = options.agent;
  const Assessment assessment =
      assess(collect_facts(*world, collect, progress), {options.skip, options.accept});
  auto sources = read_plan_sources(*world->host, assessment);
  if (!sources) throw std::runtime_error(sources.error().message());
  sources->held_package = held;
  for (auto& [path, file] : sources->files) {
    for (FileState* state : {&file.state, &file.own}) {
      state->uid = state->gid = 0;
      state->attributes.clear();
      if (state->exists) state->mode = 0640;
    }
  }
  auto answer = make_plan(assessment, *sources, options, kNow);
  if (!answer) throw std::runtime_error(answer.error().message());
  return *std::move(answer);
}

/// "type path" of each step.
std::vector<std::string> steps(const PlanAnswer& answer) {
  std::vector<std::string> texts;
  if (!answer.plan) return {"refused"};
  for (const StepSpec& step : answer.plan->steps) {
    if (step.type == "loaded-rules") continue;  // changes nothing
    std::string text = step.type;
    if (step.parameters.contains("path")) text += " " + step.parameters["path"].get<std::string>();
    texts.push_back(text);
  }
  return texts;
}

std::string content(const PlanAnswer& answer, const std::string& path) {
  for (const StepSpec& step : answer.plan->steps)
    if ((step.type == "write-file" || step.type == "compiled-rules") && step.parameters["path"] == path)
      return step.parameters["content"].get<std::string>();
  return "(no such step)";
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void compare(const fs::path& golden, const std::string& actual) {
  if (std::getenv("AUDITSHIFT_UPDATE_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << actual;
  EXPECT_EQ(read(golden), actual) << "golden file " << golden << "; ./dev golden writes it anew";
}

struct Sample {
  std::string host;
  std::string variant;
  std::set<std::string> skip{};
  std::set<std::string> accept{};
};

class SamplePlan : public ::testing::TestWithParam<Sample> {
 protected:
  PlanAnswer answer() const {
    PlanOptions options;
    options.skip = GetParam().skip;
    options.accept = GetParam().accept;
    return plan_of(std::string(AUDITSHIFT_FIXTURES "/hosts/") + GetParam().host, options);
  }
};

TEST_P(SamplePlan, IsTheGoldenOne) {
  PlanAnswer made = answer();
  base::Json json = {{"refusals", made.refusals}, {"notes", made.notes}};
  if (made.plan) {
    made.plan->tool_version = "of the test";
    json["plan"] = to_json(*made.plan);
  }
  compare(fs::path(AUDITSHIFT_FIXTURES "/golden") / (GetParam().host + GetParam().variant + ".plan.json"),
          base::dump_json(json, base::JsonStyle::pretty));
}

TEST_P(SamplePlan, SurvivesItsJsonFormAndFollowsTheSchema) {
  const PlanAnswer made = answer();
  if (!made.plan) return;
  const std::string text = base::dump_json(to_json(*made.plan), base::JsonStyle::pretty);
  const auto again = plan_from_json(*base::parse_json(text, "plan"));
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(base::dump_json(to_json(*again), base::JsonStyle::pretty), text);
  EXPECT_TRUE(check_current(*again, *answer().plan).ok());
  const fs::path file =
      fs::temp_directory_path() / ("auditshift-plan-" + std::to_string(::getpid()) + ".json");
  std::ofstream(file) << text;
  base::SystemProcessRunner runner;
  const auto done =
      runner.run({.argv = {AUDITSHIFT_SOURCE_DIR "/tests/schema/validate.py",
                           AUDITSHIFT_SOURCE_DIR "/docs/schema/plan.schema.json", file.native()},
                  .input = {},
                  .timeout = std::chrono::seconds(60)});
  fs::remove(file);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(done->exit_code, 0) << done->errors;
}

INSTANTIATE_TEST_SUITE_P(All, SamplePlan,
                         ::testing::Values(Sample{"damaged-files", ""}, Sample{"oracle-8.8-bad-uek", ""},
                                           Sample{"rhel-7.4-netlink", ""}, Sample{"rhel-8-immutable-cis", ""},
                                           Sample{"rhel-8.1-sap", ""}, Sample{"sles-12", ""},
                                           Sample{"switched-with-leftovers", ""},
                                           Sample{"ubuntu-20.04-auditd-era", ""},
                                           Sample{"ubuntu-20.04-auditd-era", ".left-out", {"EXC001"}},
                                           Sample{"without-audit", ""}),
                         [](const auto& sample) {
                           std::string name = sample.param.host + sample.param.variant;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

constexpr const char* kMdatpRules =
    "# Auditd rules for MDATP (EDR) audisp sensor\n"
    "-a always,exit -F arch=b64 -S connect,accept -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S chmod -k mdatpmbr\n";
constexpr const char* kUserRules =
    "## CIS\n"
    "-w /etc/passwd -p wa -k identity\n"
    "-a always,exit -F arch=b64 -S ptrace -k mdatp\n"
    "   # kept, to the byte  \n"
    "-a always,exit -F arch=b64 -S adjtimex -k time\n";
constexpr const char* kDefenderHeader =
    "\n## managed by MDE\n## see the documentation\n## cdbb87e7-66d1-40e8-b090-30ff3e88fc08\n";
constexpr const char* kLive =
    "-a always,exit -F arch=b64 -S connect,accept -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S chmod -F key=mdatpmbr\n"
    "-w /etc/passwd -p wa -k identity\n"
    "-a always,exit -F arch=b64 -S ptrace -F key=mdatp\n"
    "-a always,exit -F arch=b64 -S adjtimex -F key=time\n";

/// A host in the auditd era: Defender's rules, some in a file of the user's.
void auditd_era(FakeHost& host, const char* build = "101.24072.0001") {
  host.mdatp(build, "auditd").augenrules().audit(1).live_rules(kLive);
  host.rules("mdatp.rules", kMdatpRules).rules("50-user.rules", kUserRules);
}

TEST(MakePlan, ProvesTheNewProviderBeforeTheOldOneGoes) {
  FakeHost host;
  auditd_era(host);
  const PlanAnswer answer = plan_of(host.root());
  EXPECT_THAT(steps(answer), ElementsAre(HasSubstr("write-file /etc/opt/microsoft/mdatp"), "provider",
                                         "wait-for-provider", "write-file /etc/audit/rules.d/50-user.rules",
                                         "remove-file /etc/audit/rules.d/mdatp.rules", "kernel-rules"))
      << ::testing::PrintToString(answer.refusals);
  EXPECT_EQ(content(answer, paths::kMdatpManaged),
            "{\n  \"features\": {\n    \"ebpfSupplementaryEventProvider\": \"enabled\"\n  }\n}\n");
  EXPECT_EQ(content(answer, "/etc/audit/rules.d/50-user.rules"),
            "## CIS\n-w /etc/passwd -p wa -k identity\n   # kept, to the byte  \n"
            "-a always,exit -F arch=b64 -S adjtimex -k time\n");
  EXPECT_FALSE(answer.plan->reboot);
  EXPECT_EQ(answer.plan->expectations["live_rules"],
            base::Json::array(
                {"-w /etc/passwd -p wa -k identity", "-a always,exit -F arch=b64 -S adjtimex -F key=time"}));
  EXPECT_EQ(answer.plan->expectations["boot_rules"], answer.plan->expectations["live_rules"]);
}

TEST(MakePlan, ImmutableAuditWaitsForTheReboot) {
  FakeHost host;
  auditd_era(host);
  host.audit(2);
  const PlanAnswer answer = plan_of(host.root());
  EXPECT_THAT(steps(answer), ::testing::Not(::testing::Contains("kernel-rules")));
  EXPECT_TRUE(answer.plan->reboot);
  EXPECT_THAT(answer.plan->reboot_reason, HasSubstr("3 rules"));
}

TEST(MakePlan, BuildsThatHangGetTheRulesOffTheDiskFirst) {
  FakeHost host;
  auditd_era(host, "101.23082.0009");
  host.audit(2);
  PlanOptions options;
  options.accept = {"AGT006"};
  EXPECT_THAT(
      steps(plan_of(host.root(), options)),
      ElementsAre("write-file /etc/audit/rules.d/50-user.rules", "remove-file /etc/audit/rules.d/mdatp.rules",
                  HasSubstr("managed"), "provider", "wait-for-provider"));
}

TEST(MakePlan, BuildsThatDisableThemselvesAreEnabledLast) {
  FakeHost host;
  auditd_era(host, "101.26042.0003");
  const PlanAnswer answer = plan_of(host.root());
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  EXPECT_EQ(steps(answer).back(), "enable-service");
}

TEST(MakePlan, WhatIsCompiledStaysWhatAugenrulesWrites) {
  FakeHost host;
  auditd_era(host);
  const std::string head = "## This file is automatically generated from /etc/audit/rules.d\n\n\n\n";
  host.write("/etc/audit/audit.rules",
             head +
                 "-w /etc/passwd -p wa -k identity\n-a always,exit -F arch=b64 -S ptrace -k mdatp\n"
                 "-a always,exit -F arch=b64 -S adjtimex -k time\n"
                 "-a always,exit -F arch=b64 -S connect,accept -F key=mdatp\n"
                 "-a always,exit -F arch=b64 -S chmod -k mdatpmbr\n\n");
  EXPECT_EQ(content(plan_of(host.root()), "/etc/audit/audit.rules"),
            head + "-w /etc/passwd -p wa -k identity\n-a always,exit -F arch=b64 -S adjtimex -k time\n\n");
  // One that somebody edited by hand loses Defender's lines alone.
  host.write("/etc/audit/audit.rules", "-D\n-a always,exit -F arch=b64 -S chmod -k mdatpmbr\n-w /mine\n");
  EXPECT_EQ(content(plan_of(host.root()), "/etc/audit/audit.rules"), "-D\n-w /mine\n");
}

TEST(MakePlan, FilesWithDefendersHeaderGoUnlessARuleOfTheUserNeedsThem) {
  FakeHost host;
  auditd_era(host);
  host.rules("mdatp.rate_limit.rules", std::string(kDefenderHeader) + "-r 2500\n");
  host.rules("1_mdatp.skip_faulty_rule.rules", std::string(kDefenderHeader) + "-c\n");
  EXPECT_THAT(steps(plan_of(host.root())),
              ::testing::IsSupersetOf({"remove-file /etc/audit/rules.d/mdatp.rate_limit.rules",
                                       "remove-file /etc/audit/rules.d/1_mdatp.skip_faulty_rule.rules"}));
  host.rules("20-broken.rules", "-w relative -p wa\n");
  const PlanAnswer answer = plan_of(host.root());
  EXPECT_THAT(steps(answer), ::testing::Not(::testing::Contains(HasSubstr("skip_faulty_rule"))));
  EXPECT_THAT(answer.notes, ::testing::Contains(HasSubstr("20-broken.rules:1")));
}

TEST(MakePlan, TheRateLimitOfDefendersGoesWithItsFile) {
  FakeHost host;
  auditd_era(host);
  host.rules("mdatp.rate_limit.rules", std::string(kDefenderHeader) + "-r 2500\n");
  const auto limit = [&](const std::string& now) -> base::Json {
    host.write("/auditshift-capture/audit-status",
               "enabled 1\nfailure 1\npid 500\nrate_limit " + now + "\nbacklog_limit 8192\n");
    const PlanAnswer answer = plan_of(host.root());
    for (const StepSpec& step : answer.plan->steps)
      if (step.type == "rate-limit") return step.parameters;
    return nullptr;
  };
  EXPECT_EQ(limit("2500"), (base::Json{{"from", 2500}, {"to", 0}}));
  EXPECT_EQ(limit("300"), base::Json(nullptr)) << "somebody set another";
  EXPECT_EQ(limit("0"), base::Json(nullptr));
  host.rules("10-base.rules", "-r 100\n");
  EXPECT_EQ(limit("2500"), (base::Json{{"from", 2500}, {"to", 100}})) << "what the user's files give";
  host.rules("zz-last.rules", "-r 2500\n");
  EXPECT_EQ(limit("2500"), base::Json(nullptr)) << "a file of the user's sets it last";
  host.remove("/etc/audit/rules.d/zz-last.rules").audit(2);
  EXPECT_EQ(limit("2500")["to"], 100);
  host.write("/auditshift-capture/audit-status",
             "enabled 2\nfailure 1\npid 500\nrate_limit 2500\nbacklog_limit 8192\n");
  EXPECT_THAT(steps(plan_of(host.root())), ::testing::Not(::testing::Contains("rate-limit")))
      << "a locked kernel takes it from disk with its next boot";
}

TEST(MakePlan, TheRateLimitIsSetBeforeTheFilesThatWouldMakeItLast) {
  FakeHost host;
  auditd_era(host);
  host.rules("mdatp.rate_limit.rules", std::string(kDefenderHeader) + "-r 2500\n");
  host.write("/auditshift-capture/audit-status", "enabled 1\nfailure 1\npid 500\nrate_limit 2500\n");
  const std::vector<std::string> planned = steps(plan_of(host.root()));
  const auto limit = std::find(planned.begin(), planned.end(), "rate-limit");
  ASSERT_NE(limit, planned.end());
  for (auto step = planned.begin(); step != limit; ++step)
    EXPECT_THAT(*step, ::testing::Not(HasSubstr("/etc/audit")));
}

/// A host whose agent is this project's sensor, with Defender's rules left over.
void with_native_sensor(FakeHost& host) {
  host.augenrules().audit(1).live_rules(kLive);
  host.rules("mdatp.rules", kMdatpRules).rules("50-user.rules", kUserRules);
}

TEST(MakePlan, AComparisonStandsBetweenTheNewProviderAndTheEndOfTheOldOne) {
  FakeHost host;
  with_native_sensor(host);
  PlanOptions options;
  options.agent = AgentKind::native;
  options.compare_seconds = 30;
  options.accept = {"CMP001"};
  const PlanAnswer answer = plan_of(host.root(), options);
  EXPECT_THAT(steps(answer),
              ElementsAre(HasSubstr("write-file /etc/auditshift"), "enable-service", "provider",
                          "wait-for-provider", "compare", "write-file /etc/audit/rules.d/50-user.rules",
                          "remove-file /etc/audit/rules.d/mdatp.rules", "kernel-rules"))
      << ::testing::PrintToString(answer.refusals);
  for (const StepSpec& step : answer.plan->steps) {
    if (step.type != "compare") continue;
    EXPECT_EQ(step.parameters,
              (base::Json{{"seconds", 30}, {"accept_missed", true}, {"accept_unproven", false}}));
  }
  const auto again = plan_options_from_json(to_json(options));
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->compare_seconds, 30U);
}

TEST(MakePlan, WhatCannotBeComparedIsRefused) {
  PlanOptions options;
  options.compare_seconds = 30;
  FakeHost defender;
  auditd_era(defender);
  EXPECT_THAT(plan_of(defender.root(), options).refusals,
              ElementsAre(HasSubstr("--compare: Defender's eBPF programs have no stream")));
  options.agent = AgentKind::native;
  FakeHost off;
  with_native_sensor(off);
  off.audit(0);
  EXPECT_THAT(plan_of(off.root(), options).refusals, ElementsAre(HasSubstr("switched off (enabled 0)")));
  FakeHost unread;
  with_native_sensor(unread);
  unread.remove("/auditshift-capture/audit-rules");
  EXPECT_THAT(plan_of(unread.root(), options).refusals,
              ElementsAre(HasSubstr("--compare: the audit rules cannot be read")));
}

TEST(MakePlan, AHostThatNeedsNothingIsNotComparedEither) {
  FakeHost host;
  host.audit(1).live_rules("No rules\n");
  PlanOptions options;
  options.compare_seconds = 30;
  const PlanAnswer answer = plan_of(host.root(), options);
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  EXPECT_TRUE(answer.plan->empty());
}

TEST(MakePlan, TheSupportToolsFileGoesOnlyWhenEachExclusionIsSettled) {
  FakeHost host;
  auditd_era(host);
  host.rules("exclude.rules", "-a exit,never -F arch=b64 -S connect -F pid=77 -k exclude\n");
  EXPECT_THAT(steps(plan_of(host.root())),
              ::testing::Contains("remove-file /etc/audit/rules.d/exclude.rules"));
  // This one quiets a rule of the user's that comes behind it.
  host.rules("exclude.rules", "-a exit,never -F arch=b64 -S settimeofday -F uid=33 -k exclude\n");
  host.rules("zz-user.rules", "-a always,exit -F arch=b64 -S settimeofday -k late\n");
  const PlanAnswer answer = plan_of(host.root());
  EXPECT_THAT(steps(answer), ::testing::Not(::testing::Contains(HasSubstr("exclude.rules"))));
  EXPECT_THAT(answer.notes, ::testing::Contains(HasSubstr("exclude.rules stays")));
}

TEST(MakePlan, ThePluginIsSwitchedOff) {
  FakeHost host;
  auditd_era(host);
  host.write("/etc/audit/plugins.d/mdatp.conf",
             "active = yes\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\nargs = -d\n");
  EXPECT_THAT(steps(plan_of(host.root())), ::testing::Contains("audit-plugin"));
  host.write("/etc/audit/plugins.d/mdatp.conf",
             "active = no\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\nargs = -d\n");
  EXPECT_THAT(steps(plan_of(host.root())), ::testing::Not(::testing::Contains("audit-plugin")));
}

TEST(MakePlan, ABuildThatARollbackHoldsIsLetGoFirst) {
  FakeHost host;
  auditd_era(host);
  PackageFacts held;
  held.installed = "101.24072.0001";
  held.available = {"101.24082.0004", "101.24072.0001"};
  held.pinned = true;
  const PlanAnswer answer = plan_of(host.root(), {}, held);
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  const std::vector<StepSpec>& planned = answer.plan->steps;
  ASSERT_GT(planned.size(), 4U);
  EXPECT_EQ(planned[0].type, "loaded-rules") << "its undo is the last";
  EXPECT_EQ(planned[1].type, "package-pin");
  ASSERT_EQ(planned[2].type, "package-version");
  EXPECT_EQ(planned[2].parameters["version"], "101.24082.0004");
  EXPECT_EQ(planned[3].type, "wait-for-agent");
  EXPECT_EQ(answer.plan->expectations["agent_version"], "101.24082.0004");
  const PlanAnswer without = plan_of(host.root());
  const auto stale = check_current(*answer.plan, *without.plan);
  ASSERT_FALSE(stale.ok());
  EXPECT_THAT(stale.error().message(), HasSubstr("the build that a rollback holds"));
}

TEST(MakePlan, ABuildThatIsHeldWhileNoneIsOnOfferStaysAndThePlanSaysWhy) {
  FakeHost host;
  auditd_era(host);
  PackageFacts held;
  held.manager = "apt";
  held.installed = "101.24082.0004";
  held.pinned = true;
  const PlanAnswer answer = plan_of(host.root(), {}, held);
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  EXPECT_EQ(steps(answer), steps(plan_of(host.root())));
  EXPECT_FALSE(answer.plan->expectations.contains("agent_version"));
  EXPECT_THAT(answer.notes, ::testing::Contains(::testing::AllOf(HasSubstr("stays at 101.24082.0004"),
                                                                 HasSubstr("apt offers no mdatp"))));
}

TEST(MakePlan, ASwitchedHostNeedsNothing) {
  FakeHost host;
  host.mdatp("101.24082.0004", "ebpf").augenrules().audit(1).rules("50-user.rules", "-w /etc/passwd\n");
  const PlanAnswer answer = plan_of(host.root());
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  EXPECT_TRUE(answer.plan->empty()) << ::testing::PrintToString(steps(answer));
}

TEST(MakePlan, WithoutDefenderAndWithoutItsRulesThereIsNothingToDo) {
  FakeHost host;
  host.audit(1).live_rules("No rules\n");
  const PlanAnswer answer = plan_of(host.root());
  ASSERT_TRUE(answer.plan) << ::testing::PrintToString(answer.refusals);
  EXPECT_TRUE(answer.plan->empty());
  EXPECT_THAT(answer.notes, ElementsAre(HasSubstr("no Defender")));
}

TEST(MakePlan, WhatBlocksIsSaid) {
  FakeHost host;
  auditd_era(host, "101.98.89");
  const PlanAnswer answer = plan_of(host.root());
  EXPECT_FALSE(answer.plan);
  EXPECT_THAT(answer.refusals, ::testing::Contains(HasSubstr("AGT005")));
}

TEST(StalePlan, IsRefusedWithWhatChanged) {
  FakeHost host;
  auditd_era(host);
  const Plan plan = *plan_of(host.root()).plan;
  EXPECT_TRUE(check_current(plan, *plan_of(host.root()).plan).ok());
  host.rules("60-new.rules", "-w /etc/shadow\n").rules("50-user.rules", "-w /etc/group\n");
  host.live_rules(std::string(kLive) + "-w /etc/hosts -p wa\n").audit(2);
  const auto stale = check_current(plan, *plan_of(host.root()).plan);
  ASSERT_FALSE(stale.ok());
  for (const char* change : {"60-new.rules is new", "50-user.rules was changed",
                             "another rule: -w /etc/hosts", "audit state: mutable, now immutable"})
    EXPECT_THAT(stale.error().message(), HasSubstr(change));
}

TEST(StalePlan, AndOneThatWasTamperedWith) {
  FakeHost host;
  auditd_era(host);
  const Plan now = *plan_of(host.root()).plan;
  Plan plan = now;
  plan.steps[0].parameters["content"] = "{}";
  EXPECT_THAT(check_current(plan, now).error().message(), HasSubstr("steps"));
  plan = now;
  plan.tool_version = "0.0.1";
  EXPECT_THAT(check_current(plan, now).error().message(), HasSubstr("0.0.1"));
  plan = now;
  plan.facts_hash = "0";
  EXPECT_THAT(check_current(plan, now).error().message(), HasSubstr("hash"));
}

TEST(PlanJson, UnknownKeysAreRefused) {
  FakeHost host;
  auditd_era(host);
  const base::Json good = to_json(*plan_of(host.root()).plan);
  ASSERT_TRUE(plan_from_json(good).ok());
  base::Json bad = good;
  bad["more"] = 1;
  EXPECT_FALSE(plan_from_json(bad).ok());
  bad = good;
  bad["steps"][0]["more"] = 1;
  EXPECT_FALSE(plan_from_json(bad).ok());
  bad = good;
  bad.erase("facts_hash");
  EXPECT_FALSE(plan_from_json(bad).ok());
}

TEST(WithoutLines, KeepsAllOtherBytes) {
  EXPECT_EQ(without_lines("a\r\nb\n\nc", {2}), "a\r\n\nc");
  EXPECT_EQ(without_lines("a\nb", {2}), "a\n");
  EXPECT_EQ(without_lines("a\nb", {}), "a\nb");
  EXPECT_EQ(without_lines("", {1}), "");
}

}  // namespace
}  // namespace auditshift::migrate::change
