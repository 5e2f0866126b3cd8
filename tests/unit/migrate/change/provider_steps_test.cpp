// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/change/backup_directory.h"
#include "migrate/change/file_steps.h"
#include "migrate/change/plan_steps.h"
#include "migrate/change/plugin_text.h"
#include "tests/unit/migrate/change/fakes.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

struct Bench {
  tests::TemporaryTree tree;
  std::shared_ptr<tests::FakeAgent> agent = std::make_shared<tests::FakeAgent>();
  std::shared_ptr<tests::FakeServices> services = std::make_shared<tests::FakeServices>();
  Host host;
  BackupDirectory backups;

  Bench() : backups(std::make_shared<base::Sysroot>(tree.open()), "/backups") {
    host.files = std::make_shared<base::Sysroot>(tree.open());
    host.audit = std::make_shared<tests::FakeKernel>();
    host.clock = std::make_shared<base::SystemClock>();
    host.agent = agent;
    host.services = services;
  }
  std::unique_ptr<Step> make(const StepSpec& spec) {
    auto step = make_step(spec);
    EXPECT_TRUE(step.ok()) << step.error().message();
    return *std::move(step);
  }
};

TEST(ProviderStep, SwitchesAndSwitchesBack) {
  Bench bench;
  const auto step = bench.make(provider("2", "auditd", "ebpf"));
  const auto captured = step->capture(bench.host, bench.backups);
  ASSERT_TRUE(captured.ok());
  EXPECT_FALSE(*step->done(bench.host));
  ASSERT_TRUE(step->apply(bench.host, *captured).ok());
  EXPECT_TRUE(*step->done(bench.host));
  ASSERT_TRUE(step->undo(bench.host, *captured, bench.backups).ok());
  EXPECT_EQ(bench.agent->subsystem, "auditd");
}

TEST(ProviderStep, WhatWasOnEbpfBeforeStaysThere) {
  Bench bench;
  bench.agent->subsystem = "ebpf";
  const auto step = bench.make(provider("2", "ebpf", "ebpf"));
  ASSERT_TRUE(step->undo(bench.host, base::Json::object(), bench.backups).ok());
  EXPECT_TRUE(bench.agent->told.empty());
}

TEST(ProviderStep, NoAgentIsAnError) {
  Bench bench;
  bench.host.agent = nullptr;
  const auto step = bench.make(provider("2", "auditd", "ebpf"));
  EXPECT_EQ(step->apply(bench.host, {}).error().code(), base::Errc::not_found);
}

TEST(WaitForProvider, WantsEventsNotOnlyWords) {
  Bench bench;
  bench.agent->subsystem = "ebpf";
  EXPECT_TRUE(
      bench.make(wait_for_provider("3", "ebpf", std::chrono::seconds(0)))->apply(bench.host, {}).ok());
  bench.agent->flows = false;
  const auto silent =
      bench.make(wait_for_provider("3", "ebpf", std::chrono::seconds(0)))->apply(bench.host, {});
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().code(), base::Errc::timeout);
  EXPECT_THAT(silent.error().message(), ::testing::HasSubstr("probe"));
  bench.agent->subsystem = "auditd";
  const auto stays =
      bench.make(wait_for_provider("3", "ebpf", std::chrono::seconds(0)))->apply(bench.host, {});
  ASSERT_FALSE(stays.ok());
  EXPECT_THAT(stays.error().message(), ::testing::HasSubstr("\"auditd\""));
}

TEST(EnableService, EnablesStartsAndPutsBack) {
  Bench bench;
  const auto step = bench.make(enable_service("4", "mdatp.service", true));
  const auto captured = step->capture(bench.host, bench.backups);
  ASSERT_TRUE(captured.ok());
  EXPECT_FALSE(*step->done(bench.host));
  ASSERT_TRUE(step->apply(bench.host, *captured).ok());
  EXPECT_TRUE(*step->done(bench.host));
  ASSERT_TRUE(step->undo(bench.host, *captured, bench.backups).ok());
  EXPECT_EQ(bench.services->unit.enabled, Enabled::no);
  EXPECT_FALSE(bench.services->unit.active);
}

TEST(EnableService, RefusesAMaskedUnit) {
  Bench bench;
  bench.services->unit.enabled = Enabled::masked;
  const auto step = bench.make(enable_service("4", "mdatp.service", false));
  EXPECT_EQ(step->capture(bench.host, bench.backups).error().code(), base::Errc::busy);
}

TEST(AuditPlugin, ChangesItsFileAndBringsItBack) {
  Bench bench;
  const char* path = "/etc/audit/plugins.d/mdatp.conf";
  bench.tree.file(path, "active = yes\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\n");
  const auto state = *read_file_state(*bench.host.files, path);
  const auto step = bench.make(audit_plugin(
      "5", write_file("5", path, "active = no\npath = /opt/microsoft/mdatp/sbin/mdatp_audisp_plugin\n", {},
                      state)));
  const auto captured = step->capture(bench.host, bench.backups);
  ASSERT_TRUE(captured.ok()) << captured.error().message();
  ASSERT_TRUE(step->apply(bench.host, *captured).ok());
  EXPECT_TRUE(*step->done(bench.host));
  EXPECT_EQ(bench.tree.read(path).substr(0, 11), "active = no");
  ASSERT_TRUE(step->undo(bench.host, *captured, bench.backups).ok());
  EXPECT_EQ(*read_file_state(*bench.host.files, path), state);
}

TEST(PluginText, ChangesOneWord) {
  EXPECT_EQ(deactivated("# x\nactive = yes\r\npath = /a\n"), "# x\nactive = no\r\npath = /a\n");
  EXPECT_EQ(deactivated("  Active=YES # on\nx = y"), "  Active=no # on\nx = y");
  EXPECT_EQ(deactivated("path = /a"), "path = /a\nactive = no\n");
  EXPECT_EQ(deactivated(""), "active = no\n");
  EXPECT_EQ(deactivated("active =\n"), "active = no\n");
}

TEST(Steps, UnknownParametersAreRefused) {
  for (const StepSpec& spec :
       {kernel_rules("1", {}), provider("2", "auditd", "ebpf"),
        wait_for_provider("3", "ebpf", std::chrono::seconds(1)), enable_service("4", "a.service", true)}) {
    EXPECT_TRUE(make_step(spec).ok());
    StepSpec more = spec;
    more.parameters["more"] = 1;
    EXPECT_FALSE(make_step(more).ok()) << spec.type;
    StepSpec less = spec;
    less.parameters = base::Json::object();
    EXPECT_FALSE(make_step(less).ok()) << spec.type;
  }
}

}  // namespace
}  // namespace auditshift::migrate::change
