// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/outside/bus_text.h"
#include "migrate/outside/systemd_boot.h"
#include "migrate/outside/systemd_services.h"
#include "scripted_processes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::outside {
namespace {

using namespace std::chrono_literals;

constexpr const char* kCall =
    "busctl --system call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ";
constexpr const char* kScheduled =
    "busctl --system get-property org.freedesktop.login1 /org/freedesktop/login1 "
    "org.freedesktop.login1.Manager "
    "ScheduledShutdown";

class Boots : public testing::Test {
 protected:
  SystemdBoot boot(bool systemd) {
    if (systemd) tree_.directory("/run/systemd/system");
    return {std::make_shared<const base::Sysroot>(tree_.open()), processes_,
            std::make_shared<base::FixedClock>(*base::parse_utc("2026-11-21T10:00:00Z"))};
  }
  static base::WallTime at(const char* text) { return *base::parse_utc(text); }

  tests::TemporaryTree tree_;
  std::shared_ptr<tests::ScriptedProcesses> processes_ = std::make_shared<tests::ScriptedProcesses>();
};

TEST(BusText, UndoesQuotesAndEscapes) {
  const auto reply = parse_bus_reply("(ss) \"a \\\"b\\\"\\n\\303\\244\" \"\"\n");
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->signature, "(ss)");
  EXPECT_EQ(reply->values, (std::vector<std::string>{"a \"b\"\n\xc3\xa4", ""}));
  for (const char* broken : {"s \"open", "s \"\\", "s \"\\1\"", "s \"\\999\"", "s \"\\q\""})
    EXPECT_FALSE(parse_bus_reply(broken).ok()) << broken;
}

TEST(Inhibitors, AreThoseOfAShutdown) {
  const auto list = parse_inhibitors(
      "a(ssssuu) 3 \"sleep\" \"UPower\" \"Pause\" \"delay\" 0 700 \"shutdown:sleep\" \"apt\" \"at work\" "
      "\"block\" 0 8 "
      "\"shutdown\" \"late\" \"\" \"delay\" 0 9");
  ASSERT_TRUE(list.ok()) << list.error().message();
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].who, "apt");
  EXPECT_EQ((*list)[1].mode, "delay");
  EXPECT_TRUE(parse_inhibitors("a(ssssuu) 0").value().empty());
  EXPECT_FALSE(parse_inhibitors("a(ssss) 0").ok());
  EXPECT_FALSE(parse_inhibitors("a(ssssuu) 1 \"a\"").ok());
}

TEST(ScheduledShutdown, IsReadFromPropertyAndFile) {
  const auto property = parse_scheduled_property("(st) \"reboot\" 1795255200000000");
  ASSERT_TRUE(property.ok());
  EXPECT_EQ(base::format_utc((*property)->at), "2026-11-21T10:00:00Z");
  EXPECT_FALSE(parse_scheduled_property("(st) \"\" 0").value().has_value());
  EXPECT_FALSE(parse_scheduled_property("(st) \"\" 18446744073709551615").value().has_value());
  EXPECT_FALSE(parse_scheduled_property("(su) \"\" 0").ok());
  EXPECT_EQ(parse_scheduled_file("USEC=1795255200000000\nWARN_WALL=1\nMODE=poweroff\n").value()->kind,
            "poweroff");
  EXPECT_FALSE(parse_scheduled_file("MODE=reboot\n").ok());
}

TEST_F(Boots, WithoutSystemdOnlyNowAndNever) {
  tree_.file("/proc/sys/kernel/random/boot_id", "0a1b\n");
  SystemdBoot plain = boot(false);
  EXPECT_EQ(plain.boot_id().value(), "0a1b");
  EXPECT_FALSE(plain.scheduled().value().has_value());
  EXPECT_TRUE(plain.inhibitors().value().empty());
  const auto later = plain.schedule(at("2026-11-21T12:00:00Z"), "m");
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code(), base::Errc::unsupported);
  EXPECT_TRUE(processes_->asked.empty());
  processes_->answer("shutdown -r now m", 0, "");
  EXPECT_TRUE(plain.schedule(at("2026-11-21T10:00:00Z"), "m").ok());
}

TEST_F(Boots, AnOldLogindIsAskedByShutdown) {
  const std::string call = kCall;
  processes_->answer(call + "ListInhibitors", 0, "a(ssssuu) 0");
  processes_->answer(call + "SetWallMessage sb m true", 1, "", "Unknown method 'SetWallMessage'");
  processes_->answer(call + "ScheduleShutdown st reboot 1795262430000000", 1, "",
                     "Unknown method 'ScheduleShutdown' or interface");
  processes_->answer("shutdown -r +121 m", 0, "");
  processes_->answer(call + "CancelScheduledShutdown", 1, "", "Unknown method");
  processes_->answer("shutdown -c", 0, "");
  SystemdBoot old = boot(true);
  EXPECT_TRUE(old.schedule(at("2026-11-21T12:00:30Z"), "m").ok());
  tree_.file("/run/systemd/shutdown/scheduled", "USEC=1795262460000000\nMODE=reboot\n");
  processes_->answer(kScheduled, 1, "", "Unknown property");
  EXPECT_EQ(base::format_utc(old.scheduled().value()->at), "2026-11-21T12:01:00Z");
  EXPECT_TRUE(old.cancel().ok());
}

TEST_F(Boots, ALogindThatRefusesIsAnError) {
  const std::string call = kCall;
  processes_->answer(call + "ListInhibitors", 0, "a(ssssuu) 0");
  processes_->answer(call + "SetWallMessage sb m true", 0, "");
  processes_->answer(call + "ScheduleShutdown st reboot 1795262430000000", 1, "",
                     "Call failed: Access denied");
  const auto refused = boot(true).schedule(at("2026-11-21T12:00:30Z"), "m");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "cannot schedule the reboot: Call failed: Access denied");
}

TEST(UnitStates, AreReadFromProperties) {
  const auto state = [](const std::string& text) { return parse_unit_state(text); };
  const UnitState running = state(
      "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nWantedBy=a.target\n");
  EXPECT_TRUE(running.loaded && running.active && !running.failed);
  EXPECT_EQ(running.enabled, Enabled::yes);
  EXPECT_EQ(running.description, "active (running)");
  EXPECT_EQ(state("LoadState=not-found\nActiveState=inactive\n").enabled, Enabled::absent);
  EXPECT_EQ(state("LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n").enabled, Enabled::masked);
  EXPECT_EQ(state("LoadState=loaded\nUnitFileState=static\nWantedBy=\n").enabled, Enabled::no);
  EXPECT_EQ(state("LoadState=loaded\nUnitFileState=static\nWantedBy=multi-user.target\n").enabled,
            Enabled::yes);
  EXPECT_EQ(state("LoadState=loaded\nUnitFileState=enabled-runtime\n").enabled, Enabled::no)
      << "gone with the next boot";
  EXPECT_TRUE(state("LoadState=loaded\nActiveState=failed\nSubState=failed\n").failed);
  EXPECT_EQ(state("").enabled, Enabled::absent);
}

TEST(Services, WithoutSystemdSaySo) {
  tests::TemporaryTree tree;
  SystemdServices services(std::make_shared<const base::Sysroot>(tree.open()),
                           std::make_shared<tests::ScriptedProcesses>());
  EXPECT_FALSE(services.running());
  const auto refused = services.start("mdatp.service");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), base::Errc::unsupported);
  EXPECT_THAT(refused.error().message(), testing::HasSubstr("systemd does not run this host"));
}

}  // namespace
}  // namespace auditshift::migrate::outside
