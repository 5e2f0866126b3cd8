// SPDX-License-Identifier: Apache-2.0
#include "migrate/rule_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "auditd/normalize.h"
#include "fake_host.h"

namespace auditshift::migrate {
namespace {

std::vector<std::string> normal_forms(const RuleFiles& files) {
  std::vector<std::string> lines;
  for (const auditd::Rule& rule : loaded_rules(files.load_order))
    lines.push_back(auditd::normalize(rule, {}, "x86_64"));
  return lines;
}

RuleFiles read(const FakeHost& host, const std::vector<std::string>& paths) {
  const auto world = captured_world(host.root());
  auto files = read_rule_files(*world, paths, std::nullopt);
  return std::move(files).value_or({});
}

TEST(RuleFiles, OfADirectoryComeInAugenrulesOrder) {
  FakeHost host;
  host.rules("10-b.rules", "")
      .rules("2-a.rules", "")
      .rules("audit.rules", "")
      .rules("x.conf", "")
      .rules(".hidden.rules", "");
  std::vector<std::string> names;
  for (const auditd::RuleFile& file : read(host, {"/etc/audit/rules.d"}).files) names.push_back(file.path);
  EXPECT_EQ(names, (std::vector<std::string>{"/etc/audit/rules.d/2-a.rules", "/etc/audit/rules.d/10-b.rules",
                                             "/etc/audit/rules.d/audit.rules"}));
}

TEST(RuleFiles, ThatCannotBeReadAreAnError) {
  FakeHost host;
  const auto world = captured_world(host.root());
  EXPECT_FALSE(read_rule_files(*world, {"/etc/none.rules"}, std::nullopt));
  ::mkfifo((host.root() + "/pipe.rules").c_str(), 0600);
  EXPECT_FALSE(read_rule_files(*world, {"/pipe.rules"}, std::nullopt));
}

TEST(LoadedRules, ObeyDeletions) {
  FakeHost host;
  host.rules("1.rules",
             "-w /etc/old -p w -k old\n-D\n-w /etc/a -p w -k abc\n-w /etc/b -p w -k b\n-w /etc/c -p w -k "
             "c\n-W /etc/b -p w -k b\n-D -k ab\n"
             "-A always,exit -F arch=b64 -S execve -k first\n-a bad\n");
  EXPECT_EQ(
      normal_forms(read(host, {"/etc/audit/rules.d/1.rules"})),
      (std::vector<std::string>{"-a always,exit -F arch=b64 -S execve -F key=first", "-w /etc/c -p w -k c"}));
}

TEST(LoadedRules, OfADirectoryAreJoinedAsAugenrulesDoes) {
  FakeHost host;
  host.rules("10.rules", "-w /etc/a -p w -k a\n").rules("audit.rules", "-D\n-b 8192\n");
  EXPECT_EQ(normal_forms(read(host, {"/etc/audit/rules.d"})),
            (std::vector<std::string>{"-w /etc/a -p w -k a"}));
}

}  // namespace
}  // namespace auditshift::migrate
