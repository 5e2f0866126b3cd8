// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "auditd/log.h"
#include "auditd/parser.h"

namespace auditshift::auditd {
namespace {

constexpr std::uint32_t kX86_64 = 0xc000003e;
constexpr std::uint32_t kI386 = 0x40000003;

LogStatistics sample_log() {
  LogStatistics log;
  log.classes[{"exec", kX86_64, 59, "/bin/a"}] = {1, 10};
  log.classes[{"exec", kX86_64, 59, "/bin/b"}] = {2, 20};
  log.classes[{"exec", kI386, 11, "/bin/a"}] = {4, 40};
  log.classes[{"exec", kX86_64, 257, "/bin/a"}] = {8, 80};
  log.classes[{"", kX86_64, 59, "/bin/a"}] = {16, 160};
  log.classes[{"k1\x01k2", kX86_64, 59, "/bin/a"}] = {32, 320};
  log.classes[{"", 0, -1, "/usr/sbin/cron"}] = {64, 640};
  log.by_record_type["CWD"][std::chrono::sys_days{}] = {100, 1000};
  log.by_record_type["CWD"][std::chrono::sys_days{std::chrono::days(1)}] = {100, 1000};
  return log;
}

std::uint64_t events_of(const std::string& text) {
  const Line line = parse_line(text, {}, {});
  EXPECT_TRUE(line.rule.has_value()) << text;
  if (!line.rule) return 0;
  const Volume volume = volume_of(*line.rule, sample_log());
  return volume.events;
}

TEST(VolumeOf, CountsWhatKeySyscallAbiAndProgramAgreeOn) {
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve -k exec"), 3U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b32 -S execve -k exec"), 4U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve,openat -k exec"), 11U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve -F exe=/bin/b -k exec"), 2U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve -F exe!=/bin/b -k exec"), 1U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve"), 16U);
  EXPECT_EQ(events_of("-a always,exit -F arch=b64 -S execve -k k1 -k k2"), 32U);
  EXPECT_EQ(events_of("-w /etc/passwd -p wa -k exec"), 15U);
  EXPECT_EQ(events_of("-w /etc/passwd -p wa -k none"), 0U);
}

TEST(VolumeOf, RulesThatSilenceTakeEventsOfAnyKey) {
  EXPECT_EQ(events_of("-a never,exit -F arch=b64 -S execve -F exe=/bin/a"), 49U);
  EXPECT_EQ(events_of("-a never,user -F exe=/usr/sbin/cron"), 64U);
  EXPECT_EQ(events_of("-a never,exclude -F exe=/bin/a"), 61U);
  EXPECT_EQ(events_of("-a never,exclude -F msgtype=CWD"), 200U);
  EXPECT_EQ(events_of("-a never,exclude -F msgtype=PATH"), 0U);
  EXPECT_EQ(events_of("-a never,task -F uid=0"), 0U);
}

}  // namespace
}  // namespace auditshift::auditd
