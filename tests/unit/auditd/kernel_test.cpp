// SPDX-License-Identifier: Apache-2.0
#include "auditd/kernel.h"

#include <gmock/gmock.h>

#include <cstring>

#include "tests/unit/auditd/sample_host.h"

namespace auditshift::auditd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The bytes where the decoder may read them as the kernel's struct.
struct Wire {
  explicit Wire(const std::vector<unsigned char>& bytes) : words((bytes.size() + 7) / 8), size(bytes.size()) {
    if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  }
  audit_rule_data* data() { return reinterpret_cast<audit_rule_data*>(words.data()); }
  std::vector<std::uint64_t> words;
  std::size_t size;
};

base::Result<Rule> decode(const std::vector<unsigned char>& bytes) {
  Wire wire(bytes);
  return from_kernel(wire.data(), wire.size);
}

TEST(Wire, ComesBackAsItWas) {
  for (const char* line :
       {"-a always,exit -F arch=b64 -S open -F path=/etc/passwd -F perm=wa -F auid!=unset -F exe=/bin/a -k a "
        "-k b",
        "-A never,exclude -F msgtype=CWD -F subj_type=t", "-w /etc -p wa -k x", "-a never,task",
        "-a always,exit -C uid!=euid", "-a never,filesystem -F fstype=tracefs -F key=x"}) {
    const Rule rule = parse(line).rule.value();
    const base::Result<Rule> back = decode(to_kernel(rule));
    ASSERT_TRUE(back.ok()) << line;
    EXPECT_TRUE(same_in_kernel(*back, rule)) << line;
    EXPECT_EQ(back->verb, rule.verb) << line;
    EXPECT_EQ(normalize(*back, {3, 0, 9}, "x86_64"), normalize(rule, {3, 0, 9}, "x86_64"));
  }
}

TEST(Wire, HasTheKernelsLayout) {
  const std::vector<unsigned char> bytes =
      to_kernel(parse("-A always,exit -F arch=b64 -S execve -F path=/x -k id").rule.value());
  Wire wire(bytes);
  const audit_rule_data* data = wire.data();
  EXPECT_EQ(data->flags, 0x14U);
  EXPECT_EQ(data->action, 2U);
  EXPECT_EQ(data->field_count, 3U);
  EXPECT_EQ(data->mask[1], 1U << 27);
  EXPECT_EQ(data->values[0], 0xc000003eU);
  EXPECT_EQ(data->values[1], 2U);
  EXPECT_EQ(data->fieldflags[1], 0x40000000U);
  EXPECT_EQ(data->buflen, 4U);
  EXPECT_EQ(std::string(bytes.end() - 4, bytes.end()), "/xid");
}

TEST(Wire, KnowsTheKernelsOwnWordForUnsetLoginIds) {
  Wire wire(to_kernel(parse("-a always,exit -F auid!=unset").rule.value()));
  wire.data()->fields[0] = 24;  // AUDIT_LOGINUID_SET
  wire.data()->values[0] = 0;
  const base::Result<Rule> rule = from_kernel(wire.data(), wire.size);
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(normalize(*rule, {3, 0, 9}, "x86_64"), "-a always,exit -S all -F auid!=-1");
}

TEST(Wire, RefusesWhatIsMalformed) {
  const std::vector<unsigned char> good = to_kernel(parse("-w /etc/passwd -k x").rule.value());
  EXPECT_FALSE(from_kernel(nullptr, 0).ok());
  EXPECT_FALSE(decode({good.begin(), good.begin() + 1039}).ok());
  EXPECT_FALSE(decode({good.begin(), good.end() - 1}).ok());
  const auto broken = [&](auto change) {
    Wire wire(good);
    change(*wire.data());
    return !from_kernel(wire.data(), wire.size).ok();
  };
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.field_count = 65; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.flags = 2; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.flags = 0x84; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.action = 3; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.fieldflags[0] = 0; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.values[0] = 0xffffffff; }));
  EXPECT_TRUE(broken([](audit_rule_data& data) { data.buflen = 0xfffffff0; }));
}

TEST(Status, ReadsBothFormsOfAuditctl) {
  const AuditStatus now = parse_status(
      "enabled 1\nfailure 1\npid 812\nrate_limit 0\nbacklog_limit 8192\nlost 3\nbacklog 0\nbacklog_wait_time "
      "60000\n"
      "backlog_wait_time_actual 5\nloginuid_immutable 0 unlocked\n");
  EXPECT_EQ(now.state, AuditState::changeable);
  EXPECT_EQ(now.pid, 812U);
  EXPECT_EQ(now.backlog_limit, 8192U);
  EXPECT_EQ(now.lost, 3U);
  EXPECT_EQ(now.backlog_wait_time, 60000U);
  EXPECT_EQ(now.backlog_wait_time_actual, 5U);

  const AuditStatus old = parse_status(
      "AUDIT_STATUS: enabled=2 flag=1 pid=1234 rate_limit=0 backlog_limit=320 lost=0 backlog=0\n");
  EXPECT_EQ(old.state, AuditState::immutable);
  EXPECT_EQ(old.failure, 1U);
  EXPECT_EQ(old.backlog_limit, 320U);
  EXPECT_EQ(old.backlog_wait_time, std::nullopt);

  EXPECT_EQ(parse_status("enabled enabled+immutable\nfailure printk\npid 1\n").state, AuditState::immutable);
  EXPECT_EQ(parse_status("enabled 0\n").state, AuditState::disabled);
  EXPECT_EQ(parse_status("Error - audit support not in kernel\n").state, AuditState::absent);
  EXPECT_EQ(parse_status("").state, AuditState::unknown);
  EXPECT_THAT(parse_status("").reason, HasSubstr("container"));
  EXPECT_EQ(parse_status("enabled yes\n").state, AuditState::unknown);
  EXPECT_EQ(parse_status("enabled 7\n").state, AuditState::unknown);
}

TEST(Status, IsWrittenInTheSameLayout) {
  const std::string text = "enabled 1\nfailure 1\npid 0\nrate_limit 0\nbacklog_limit 64\nlost 0\nbacklog 0\n";
  EXPECT_EQ(format_status(parse_status(text)), text);
}

TEST(Captured, SaysWhyItDoesNotKnow) {
  CapturedKernelAudit nothing(std::nullopt, std::nullopt, sample_options());
  EXPECT_EQ(nothing.status().state, AuditState::unknown);
  EXPECT_FALSE(nothing.rules().known);
  EXPECT_THAT(nothing.rules().reason, HasSubstr("auditctl -l"));
  EXPECT_THAT(CapturedKernelAudit("", "", sample_options()).rules().reason, HasSubstr("container"));
  const LiveRules odd = CapturedKernelAudit("", "No rules\nsomething else\n", sample_options()).rules();
  EXPECT_FALSE(odd.known);
  EXPECT_THAT(odd.reason, HasSubstr("line 2"));
}

std::vector<std::string> reread(const std::string& listing) {
  const LiveRules live = CapturedKernelAudit(std::nullopt, listing, sample_options()).rules();
  if (!live.known) return {live.reason};
  std::vector<std::string> texts;
  for (const Rule& rule : live.rules) texts.push_back(normalize(rule, {3, 0, 9}, "x86_64"));
  return texts;
}

TEST(Captured, ReadsListingsThatCannotBeLoadedAgain) {
  EXPECT_THAT(reread("No rules\n"), ElementsAre());
  for (const char* line : {"-w /my dir/a\\b -p wa -k two words", " -p x-w /usr/bin/yum -k k", " -p wa -k x",
                           "-w /etc/ -p wa", "-a always,(null) -S pwrite -F key=u",
                           "-a always,exit -F arch=b64 -S open -F path=/my dir/x -F exit=-EPERM -F key=a b",
                           "-a never,filesystem -F fstype=tracefs", "-a always,exclude -F msgtype=CWD",
                           "-a always,exit -F arch=b32 -S all -C uid!=euid -F auid!=-1 -F a0&0x3"}) {
    EXPECT_THAT(reread(std::string(line) + "\n"), ElementsAre(line));
  }
}

TEST(Captured, NamesSyscallsAfterTheArchOfTheRuleAbove) {
  // auditctl forgets to forget the arch: number 59 is oldolduname on i386 and execve on x86_64.
  EXPECT_THAT(
      reread("-a always,exit -F arch=b32 -S execve -F key=a\n-a always,exit -S oldolduname -F key=b\n"),
      ElementsAre("-a always,exit -F arch=b32 -S execve -F key=a", "-a always,exit -S execve -F key=b"));
}

TEST(Captured, KeepsWatchesOnDirectoriesApart) {
  const LiveRules live =
      CapturedKernelAudit(std::nullopt, "-w /etc -p wa\n-w /etc/passwd -p wa\n", sample_options()).rules();
  ASSERT_EQ(live.rules.size(), 2U);
  EXPECT_TRUE(same_in_kernel(live.rules[0], parse("-w /etc -p wa").rule.value()));
  EXPECT_TRUE(same_in_kernel(live.rules[1], parse("-w /etc/passwd -p wa").rule.value()));
}

}  // namespace
}  // namespace auditshift::auditd
