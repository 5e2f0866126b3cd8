// SPDX-License-Identifier: Apache-2.0
// Defender's rules that come back after a switch: the real plan, its real steps and verification, and the
// real remedy, on a simulated host on which somebody puts the rules back.
#include "migrate/change/remedy.h"

#include <gtest/gtest.h>

#include "tests/unit/migrate/change/defender_era_host.h"

namespace auditshift::tests {
namespace {

using namespace migrate::change;  // NOLINT(google-build-using-namespace): these tests are about all of it
using Kind = Outcome::Kind;

constexpr const char* kRules = "/etc/audit/rules.d/mdatp.rules";

struct Bench {
  explicit Bench(const std::string& last_line) : scenario(defender_era_scenario(last_line)) {
    scenario.prepare(host);
    plan = scenario.plan(host);
    options.caller = "test";
    options.verify = scenario.verify;
    options.remedy = find_remedy;
    before = picture(host.tree(), host.world());
  }
  /// Somebody writes the rules again, and the machine boots with them.
  void boot_with_rules() {
    host.file(kRules, kDefenderRules, 0600);
    host.boot();
  }
  bool rules_are_there() {
    bool live = false;
    for (const auditd::Rule& rule : host.world().rules)
      live = live || rule.text.find("connect") != rule.text.npos;
    return live || host.host().files->exists(kRules);
  }
  void expect(base::Result<Outcome> outcome, State state, Kind kind) {
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    EXPECT_EQ(to_string(outcome->state), to_string(state)) << outcome->message;
    EXPECT_EQ(outcome->kind, kind) << outcome->message;
    message = outcome->message;
  }

  FaultScenario scenario;
  SimulatedHost host{scenario.options};
  Plan plan;
  TransactionOptions options;
  Transactions transactions{host.host(), SimulatedHost::kState};
  std::string before;
  std::string message;
};

TEST(Remedy, RulesThatCameBackOnALockedHostGoWithOneMoreReboot) {
  Bench bench("-e 2\n");
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.boot_with_rules();
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_FALSE(bench.host.host().files->exists(kRules));
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::switched, Kind::done);
  EXPECT_FALSE(bench.rules_are_there());
  bench.expect(bench.transactions.rollback(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::rolled_back, Kind::done);
  EXPECT_EQ(picture(bench.host.tree(), bench.host.world()), bench.before);
}

TEST(Remedy, RulesThatComeBackTwiceEndTheSwitchAndTheFileIsNamed) {
  Bench bench("-e 2\n");
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::awaiting_reboot,
               Kind::reboot_needed);
  bench.boot_with_rules();
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  bench.boot_with_rules();
  bench.expect(bench.transactions.resume(bench.options), State::awaiting_reboot, Kind::reboot_needed);
  EXPECT_TRUE(bench.transactions.status()->rolling_back);
  bench.host.boot();
  bench.expect(bench.transactions.resume(bench.options), State::rolled_back, Kind::rolled_back);
  EXPECT_NE(bench.message.find("again, after a remedy"), std::string::npos) << bench.message;
  EXPECT_NE(bench.message.find(std::string(kRules) + ": written "), std::string::npos) << bench.message;
  EXPECT_EQ(picture(bench.host.tree(), bench.host.world()), bench.before);
}

TEST(Remedy, OnAChangeableHostTheyGoAtOnce) {
  Bench bench("");
  // Written again while the switch is under way: when its verification looks, they are there.
  bench.options.verify = [&, meddled = false](const Host& host, const Plan& plan) mutable {
    if (!meddled) {
      meddled = true;
      bench.host.file(kRules, kDefenderRules, 0600);
      for (const auditd::Line& line : auditd::parse_rules(kDefenderRules, "test", bench.host.rules_options()))
        bench.host.world().rules.push_back(*line.rule);
    }
    return bench.scenario.verify(host, plan);
  };
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  EXPECT_FALSE(bench.rules_are_there());
  EXPECT_GT(bench.transactions.status()->plan.steps.size(), bench.plan.steps.size());
}

TEST(Remedy, IsNoneForOtherFailures) {
  Bench bench("");
  bench.expect(bench.transactions.begin(bench.plan, bench.options), State::switched, Kind::done);
  Verification verification;
  verification.checks = {{.id = "flow", .ok = false, .text = "no events"},
                         {.id = "kernel-rules", .ok = true, .text = "none"}};
  auto remedy = find_remedy(bench.host.host(), bench.plan, verification);
  ASSERT_TRUE(remedy.ok());
  EXPECT_FALSE(remedy->has_value());
  verification.checks[1].ok = false;
  remedy = find_remedy(bench.host.host(), Plan(), verification);
  ASSERT_TRUE(remedy.ok());
  EXPECT_FALSE(remedy->has_value()) << "a transaction that is not about rules";
}

}  // namespace
}  // namespace auditshift::tests
