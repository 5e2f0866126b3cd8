// SPDX-License-Identifier: Apache-2.0
#include "migrate/capture.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/progress.h"
#include "fake_host.h"
#include "migrate/assessment_json.h"
#include "migrate/collect.h"

namespace auditshift::migrate {
namespace {

Capture capture_of(const FakeHost& host) {
  const auto world = captured_world(host.root());
  base::NoProgress progress;
  return take_capture(*world, host.facts(), progress);
}

void unpack(const Capture& capture, FakeHost& to) {
  std::filesystem::remove_all(to.root());
  std::filesystem::create_directory(to.root());
  for (const auto& [path, entry] : capture) {
    if (entry.kind == CaptureEntry::Kind::file) to.write(path, entry.content);
    if (entry.kind == CaptureEntry::Kind::symlink) to.link(path, entry.content);
    if (entry.kind == CaptureEntry::Kind::directory) std::filesystem::create_directories(to.root() + path);
  }
}

/// Every sample host must be assessed the same from its capture as from its files.
TEST(Capture, HoldsAllThatTheAssessmentReads) {
  std::size_t hosts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(AUDITSHIFT_FIXTURES "/hosts")) {
    const auto world = captured_world(entry.path().native());
    ASSERT_TRUE(world);
    base::NoProgress progress;
    const Facts facts = collect_facts(*world, {}, progress);
    FakeHost copy;
    unpack(take_capture(*world, facts, progress), copy);
    EXPECT_EQ(to_json(copy.assess()).dump(1), to_json(assess(facts, {})).dump(1)) << entry.path();
    ++hosts;
  }
  EXPECT_GE(hosts, 9U);
}

TEST(Capture, LeavesSecretsOut) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .write("/etc/passwd", "root:$6$salt$hash:0:0:Jane Doe,Room 5:/root:/bin/sh\n")
      .write("/etc/shadow", "root:$6$salt$hash:1::::::\n")
      .write("/var/log/audit/audit.log",
             "type=EXECVE msg=audit(1717390800.001:1): argc=2 a0=\"mysql\" a1=\"-pSECRET\"\n")
      .write("/etc/audit/auditd.conf", "log_file = /var/log/audit/audit.log\n")
      .managed(R"({"cloudService": {"proxy": "http://user:SECRET@proxy.example:3128/"}})")
      .write("/var/log/microsoft/mdatp/microsoft_defender_core_err.log",
             "token SECRET\nauditd is in lockdown mode\n");
  for (const auto& [path, entry] : capture_of(host)) {
    EXPECT_EQ(entry.content.find("SECRET"), std::string::npos) << path;
    EXPECT_EQ(entry.content.find("$6$"), std::string::npos) << path;
    EXPECT_EQ(entry.content.find("Jane"), std::string::npos) << path;
  }
}

TEST(Capture, PacksTheSameBytesEachTime) {
  FakeHost host;
  host.audit(1).rules("1.rules", "-w /etc/passwd -p wa\n");
  const auto first = pack_capture(capture_of(host));
  const auto second = pack_capture(capture_of(host));
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(first->substr(0, 2), "\x1f\x8b");
}

TEST(WithoutCredentials, BlanksOnlyTheUserPartOfUrls) {
  EXPECT_EQ(without_credentials("http://u:p@h/x"), "http://***@h/x");
  EXPECT_EQ(without_credentials("http://h/x@y"), "http://h/x@y");
  EXPECT_EQ(without_credentials("\"https://a:b@c\", \"ftp://d\""), "\"https://***@c\", \"ftp://d\"");
  EXPECT_EQ(without_credentials("no url, me@home"), "no url, me@home");
}

}  // namespace
}  // namespace auditshift::migrate
