// SPDX-License-Identifier: Apache-2.0
#include "migrate/inventory.h"

#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

std::vector<std::string> table(const FakeHost& host) {
  std::vector<std::string> lines;
  for (const InventoryRule& rule : take_inventory(host.facts()))
    lines.push_back(std::string(to_string(rule.place)) + " " + rule.origin.file + ":" +
                    std::to_string(rule.origin.line) + " " + std::string(to_string(rule.owner)) + " " +
                    (rule.valid ? "" : "bad ") +
                    (!rule.loaded   ? "?"
                     : *rule.loaded ? "loaded"
                                    : "not-loaded") +
                    (rule.compiled ? " compiled" : ""));
  return lines;
}

TEST(Inventory, HoldsEachRuleOnceWithItsPlace) {
  FakeHost host;
  host.augenrules()
      .audit(1)
      .rules("50-own.rules",
             "# comment\n-w /etc/passwd -p wa -k id\n\n-w /etc/group -p wa -k id\n-a nonsense\n")
      .rules("audit.rules", "-D\n")
      .write("/etc/audit/audit.rules",
             "## generated\n-D\n-w /etc/passwd -p wa -k id\n-w /etc/hosts -p wa -k stale\n")
      .live_rules("-w /etc/passwd -p wa -k id\n-w /etc/motd -p wa -k by-hand\n");
  EXPECT_EQ(table(host), (std::vector<std::string>{
                             "rules.d /etc/audit/rules.d/50-own.rules:2 user loaded compiled",
                             "rules.d /etc/audit/rules.d/50-own.rules:4 user not-loaded",
                             "rules.d /etc/audit/rules.d/50-own.rules:5 user bad ?",
                             "rules.d /etc/audit/rules.d/audit.rules:1 control ? compiled",
                             "compiled /etc/audit/audit.rules:4 user not-loaded",
                             "kernel :0 user loaded",
                         }));
}

TEST(Inventory, DoesNotGuessWhatIsLoaded) {
  FakeHost host;
  host.augenrules().rules("1.rules", "-w /etc/passwd -p wa -k id\n");
  EXPECT_EQ(table(host), (std::vector<std::string>{"rules.d /etc/audit/rules.d/1.rules:1 user ?"}));
}

TEST(Inventory, GivesEachRuleItsShareOfTheLog) {
  FakeHost host;
  host.augenrules()
      .rules("1.rules", "-w /etc/passwd -p wa -k id\n-w /etc/group -p wa\n")
      .write("/auditshift-capture/log-statistics.json", R"({
    "days": 1, "first_day": "2024-06-01", "last_day": "2024-06-01", "total": [7, 700], "by_key": {"id": {"2024-06-01": [7, 700]}},
    "by_record_type": {}, "by_executable": {}, "by_syscall": {}, "classes":
    [{"key": "id", "arch": 3221225534, "syscall": 257, "executable": "/usr/sbin/useradd", "volume": [7, 700]}],
    "classes_folded": 0, "lines": 1, "malformed": 0, "truncated": 0, "interleaved": 0, "unfinished": 0, "files": ["/var/log/audit/audit.log"], "errors": []})");
  const auto rules = take_inventory(host.facts());
  ASSERT_EQ(rules.size(), 2U);
  ASSERT_TRUE(rules[0].volume);
  EXPECT_EQ(rules[0].volume->events, 7U);
  EXPECT_FALSE(rules[1].volume);
}

}  // namespace
}  // namespace auditshift::migrate
