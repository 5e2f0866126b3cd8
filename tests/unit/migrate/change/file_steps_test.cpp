// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/file_steps.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "migrate/change/backup_directory.h"
#include "migrate/change/plan.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::change {
namespace {

using base::Errc;

/// A host of files, a step, and what the step captured.
struct Bench {
  tests::TemporaryTree tree;
  Host host{.files = std::make_shared<base::Sysroot>(tree.open()),
            .audit = {},
            .processes = {},
            .clock = {},
            .services = {},
            .packages = {},
            .boot = {},
            .agent = {}};
  BackupDirectory backups{host.files, "/state/backups"};
  std::unique_ptr<Step> step;
  base::Json captured;

  /// Makes the step from its JSON form, as the journal gives it back.
  void take(const StepSpec& spec) {
    Plan plan;
    plan.steps = {spec};
    auto again = plan_from_json(*base::parse_json(to_json(plan).dump(), "plan"));
    ASSERT_TRUE(again.ok()) << again.error().message();
    auto made = make_step(again->steps.at(0));
    ASSERT_TRUE(made.ok()) << made.error().message();
    step = *std::move(made);
  }
  void capture() {
    auto got = step->capture(host, backups);
    ASSERT_TRUE(got.ok()) << got.error().message();
    captured = *std::move(got);
  }
  void apply() {
    capture();
    EXPECT_FALSE(*step->done(host));
    const auto applied = step->apply(host, captured);
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    EXPECT_TRUE(*step->done(host));
    EXPECT_TRUE(step->apply(host, captured).ok()) << "a second time is as good as once";
  }
  base::Result<void> undo() { return step->undo(host, captured, backups); }
  FileState state(const std::string& path) { return *read_file_state(*host.files, path); }
};

constexpr const char* kRules = "/etc/audit/rules.d/mdatp.rules";

TEST(RemoveFile, RemovesAndBringsBackEveryByteAndAttribute) {
  Bench bench;
  bench.tree.file(kRules, std::string("-a exit,always\0\xff", 16));
  const std::string real = bench.tree.real(kRules);
  ASSERT_EQ(::chmod(real.c_str(), 02640), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(real.c_str(), 12, 34), 0);
    ASSERT_EQ(::chmod(real.c_str(), 02640), 0);
  }
  if (::setxattr(real.c_str(), "user.note", "kept", 4, 0) != 0)
    std::puts("no user.* attributes on this file system: only trusted.* is tried");
  (void)::setxattr(real.c_str(), "trusted.note", "kept", 4, 0);
  const FileState before = bench.state(kRules);
  bench.take(remove_file("1", kRules, before));
  bench.apply();
  EXPECT_FALSE(bench.state(kRules).exists);
  for (int times = 0; times < 2; ++times) {
    const auto undone = bench.undo();
    ASSERT_TRUE(undone.ok()) << undone.error().message();
    EXPECT_EQ(bench.state(kRules), before);
    EXPECT_EQ(bench.tree.read(kRules), std::string("-a exit,always\0\xff", 16));
  }
}

/// Labels, capabilities, access lists and notes. The kernel takes security.selinux from root without SELinux
/// as well; with it, only a label that its policy knows.
const std::map<std::string, std::string> kAttributes = {
    {"security.selinux", std::string("system_u:object_r:auditd_etc_t:s0\0", 34)},
    {"security.capability", std::string("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)},
    {"trusted.note", std::string("\0\xff", 2)},
    {"user.note", "kept"},
    // Version 2; the owner rw, user 65534 r, the group r, mask r, others nothing (acl(5)).
    {"system.posix_acl_access", std::string("\x02\0\0\0"
                                            "\x01\0\x06\0\xff\xff\xff\xff"
                                            "\x02\0\x04\0\xfe\xff\0\0"
                                            "\x04\0\x04\0\xff\xff\xff\xff"
                                            "\x10\0\x04\0\xff\xff\xff\xff"
                                            "\x20\0\0\0\xff\xff\xff\xff",
                                            44)}};

/// Empty, or which of them cannot be set here.
std::string set_attributes(const std::string& real) {
  for (const auto& [name, value] : kAttributes)
    if (::setxattr(real.c_str(), name.c_str(), value.data(), value.size(), 0) != 0)
      return name + ": " + std::strerror(errno);
  return {};
}

std::map<std::string, std::string> attributes_of(const std::string& real) {
  std::map<std::string, std::string> found;
  for (const auto& [name, wanted] : kAttributes) {
    std::string value(256, '\0');
    const ssize_t length = ::getxattr(real.c_str(), name.c_str(), value.data(), value.size());
    if (length >= 0) found[name] = value.substr(0, static_cast<std::size_t>(length));
  }
  return found;
}

TEST(FileSteps, LabelsCapabilitiesAndAccessListsGoThereAndBackToTheByte) {
  if (::geteuid() != 0) GTEST_SKIP() << "security.* and trusted.* attributes need root";
  Bench bench;
  bench.tree.file(kRules, "-a always,exit -S all\n");
  const std::string real = bench.tree.real(kRules);
  const std::string problem = set_attributes(real);
  if (!problem.empty()) GTEST_SKIP() << "this file system does not take " << problem;
  ASSERT_EQ(attributes_of(real), kAttributes);
  const FileState before = bench.state(kRules);

  bench.take(remove_file("1", kRules, before));
  bench.apply();
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(attributes_of(real), kAttributes) << "of a file that was removed";
  EXPECT_EQ(bench.state(kRules), before);

  bench.take(write_file("2", kRules, "-D\n", {}, before));
  bench.apply();
  EXPECT_EQ(bench.tree.read(kRules), "-D\n");
  // The kernel itself takes capabilities from a file that is written to: they are those of another content.
  std::map<std::string, std::string> written = attributes_of(real);
  written.insert(*kAttributes.find("security.capability"));
  EXPECT_EQ(written, kAttributes) << "of a file that was written";
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(attributes_of(real), kAttributes) << "of a file that was written, and is back";
  EXPECT_EQ(bench.state(kRules), before);
}

TEST(RemoveFile, ASymbolicLinkComesBackAsALink) {
  Bench bench;
  bench.tree.file("/etc/real", "content");
  bench.tree.link("/etc/link", "real");
  const FileState before = bench.state("/etc/link");
  bench.take(remove_file("1", "/etc/link"));
  bench.apply();
  EXPECT_EQ(bench.tree.read("/etc/real"), "content");
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.state("/etc/link"), before);
}

TEST(RemoveFile, AFileThatIsNotThereNeedsNothing) {
  Bench bench;
  bench.take(remove_file("1", "/none/at/all"));
  bench.capture();
  EXPECT_TRUE(bench.step->apply(bench.host, bench.captured).ok());
  EXPECT_TRUE(bench.undo().ok());
  EXPECT_FALSE(bench.host.files->exists("/none"));
}

TEST(RemoveFile, WhatItsOwnerRemovedSinceThePlanIsDone) {
  Bench bench;
  bench.tree.file(kRules, "the agent's");
  bench.take(remove_file("1", kRules, bench.state(kRules)));
  ASSERT_TRUE(bench.host.files->remove(kRules).ok());
  bench.capture();
  EXPECT_TRUE(bench.step->apply(bench.host, bench.captured).ok());
  EXPECT_TRUE(*bench.step->done(bench.host));
  EXPECT_TRUE(bench.undo().ok());
  EXPECT_FALSE(bench.state(kRules).exists) << "brought back by the step that noted it";
}

TEST(RemoveFile, RefusesToOverwriteWhatSomebodyElsePutThere) {
  Bench bench;
  bench.tree.file(kRules, "old");
  bench.take(remove_file("1", kRules));
  bench.apply();
  bench.tree.file(kRules, "by configuration management");
  const auto undone = bench.undo();
  ASSERT_FALSE(undone.ok());
  EXPECT_EQ(undone.error().code(), Errc::busy);
  EXPECT_NE(undone.error().message().find(kRules), std::string::npos);
  EXPECT_EQ(bench.tree.read(kRules), "by configuration management");
}

TEST(WriteFile, ANewFileGetsItsAttributesAndLeavesNoTraceWhenUndone) {
  Bench bench;
  bench.take(write_file("1", "/etc/auditshift/deep/managed.json", "{}\n", {.mode = 0600}));
  bench.apply();
  EXPECT_EQ(bench.tree.read("/etc/auditshift/deep/managed.json"), "{}\n");
  EXPECT_EQ(bench.state("/etc/auditshift/deep/managed.json").mode, 0600U);
  EXPECT_EQ(bench.host.files->stat("/etc/auditshift")->mode & 07777, 0755U);
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_FALSE(bench.host.files->exists("/etc"));
  EXPECT_TRUE(bench.undo().ok());
}

TEST(WriteFile, ADirectoryThatSomebodyUsesNowStays) {
  Bench bench;
  bench.take(write_file("1", "/etc/new/file", "x"));
  bench.apply();
  bench.tree.file("/etc/new/other", "y");
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_FALSE(bench.host.files->exists("/etc/new/file"));
  EXPECT_TRUE(bench.host.files->exists("/etc/new/other"));
}

TEST(WriteFile, AnExistingFileKeepsItsAttributesAndItsLink) {
  Bench bench;
  bench.tree.file("/opt/managed.json", "old");
  ASSERT_EQ(::chmod(bench.tree.real("/opt/managed.json").c_str(), 0604), 0);
  bench.tree.link("/etc/managed.json", "/opt/managed.json");
  const FileState before = bench.state("/opt/managed.json");
  bench.take(write_file("1", "/etc/managed.json", std::string("new\xff", 4)));
  bench.apply();
  EXPECT_EQ(bench.tree.read("/opt/managed.json"), std::string("new\xff", 4));
  EXPECT_EQ(bench.state("/opt/managed.json").mode, 0604U);
  EXPECT_EQ(bench.state("/etc/managed.json").link, "/opt/managed.json");
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_EQ(bench.state("/opt/managed.json"), before);
  EXPECT_EQ(bench.state("/etc/managed.json").link, "/opt/managed.json");
}

TEST(WriteFile, NoticesWhatOthersChanged) {
  Bench bench;
  bench.tree.file("/etc/f", "planned");
  const StepSpec spec = write_file("1", "/etc/f", "new", {}, bench.state("/etc/f"));
  bench.tree.file("/etc/f", "changed since");
  bench.take(spec);
  const auto captured = bench.step->capture(bench.host, bench.backups);
  ASSERT_FALSE(captured.ok());
  EXPECT_EQ(captured.error().code(), Errc::busy);

  bench.tree.file("/etc/f", "planned");
  bench.capture();
  bench.tree.file("/etc/f", "between capture and apply");
  EXPECT_EQ(bench.step->apply(bench.host, bench.captured).error().code(), Errc::busy);
  bench.tree.file("/etc/f", "planned");
  bench.apply();
  ASSERT_EQ(::chmod(bench.tree.real("/etc/f").c_str(), 0600), 0);
  EXPECT_EQ(bench.undo().error().code(), Errc::busy) << "the mode is theirs now";
  EXPECT_EQ(bench.tree.read("/etc/f"), "new");
}

TEST(WriteFile, ADamagedBackupStopsTheUndoBeforeItOverwrites) {
  Bench bench;
  bench.tree.file("/etc/f", "old");
  bench.take(write_file("1", "/etc/f", "new"));
  bench.apply();
  bench.tree.file("/state/backups/" + bench.captured["state"]["sha256"].get<std::string>(), "Old");
  EXPECT_EQ(bench.undo().error().code(), Errc::invalid);
  EXPECT_EQ(bench.tree.read("/etc/f"), "new");
}

TEST(WriteFile, TemporaryFilesOfACutOffWriteAreSweptByApplyAndUndo) {
  Bench bench;
  bench.tree.file("/etc/f", "old");
  bench.take(write_file("1", "/etc/f", "new"));
  bench.tree.file("/etc/.f.auditshift-0123456789abcdef", "half");
  bench.tree.file("/etc/.f.auditshift-not-ours", "theirs");
  bench.apply();
  EXPECT_FALSE(bench.host.files->exists("/etc/.f.auditshift-0123456789abcdef"));
  bench.tree.file("/etc/.f.auditshift-0123456789abcdef", "half");
  ASSERT_TRUE(bench.undo().ok());
  EXPECT_FALSE(bench.host.files->exists("/etc/.f.auditshift-0123456789abcdef"));
  EXPECT_TRUE(bench.host.files->exists("/etc/.f.auditshift-not-ours"));
}

TEST(FileSteps, DiffIsWhatDiffPrints) {
  Bench bench;
  bench.tree.file("/etc/f", "a\nb\n");
  bench.take(write_file("1", "/etc/f", "a\nc\n"));
  EXPECT_EQ(*bench.step->diff(bench.host), "--- /etc/f\n+++ /etc/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
  bench.take(remove_file("1", "/etc/f"));
  EXPECT_EQ(*bench.step->diff(bench.host), "--- /etc/f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n");
  bench.take(write_file("1", "/etc/new", "a\n"));
  EXPECT_EQ(*bench.step->diff(bench.host), "--- /dev/null\n+++ /etc/new\n@@ -0,0 +1 @@\n+a\n");
}

TEST(MakeStep, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(make_step({.id = "1", .type = "nonsense", .parameters = base::Json::object()}).error().code(),
            Errc::unsupported);
  StepSpec spec = remove_file("1", "/etc/f");
  spec.parameters["pth"] = "x";
  EXPECT_EQ(make_step(spec).error().message(), "step '1' (remove-file): parameter 'pth' is not known");
  EXPECT_FALSE(make_step(remove_file("1", "etc/f")).ok());
  spec = write_file("1", "/etc/f", "x");
  spec.parameters["mode"] = 0100644;
  EXPECT_FALSE(make_step(spec).ok());
}

}  // namespace
}  // namespace auditshift::migrate::change
