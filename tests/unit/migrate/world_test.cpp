// SPDX-License-Identifier: Apache-2.0
#include "migrate/world.h"

#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

TEST(Uname, FindsNodeReleaseAndMachine) {
  const auto names = parse_uname(
      "Linux web-17 5.4.0-182-generic #202-Ubuntu SMP Fri Apr 26 12:29:36 UTC 2024 x86_64 x86_64 x86_64 "
      "GNU/Linux\n");
  ASSERT_TRUE(names);
  EXPECT_EQ(names->node, "web-17");
  EXPECT_EQ(names->release, "5.4.0-182-generic");
  EXPECT_EQ(names->machine, "x86_64");
  EXPECT_EQ(parse_uname("Linux n 6.1 #1 SMP aarch64 GNU/Linux")->machine, "aarch64");
  EXPECT_FALSE(parse_uname("this is not the output of uname"));
  EXPECT_FALSE(parse_uname(""));
}

TEST(Probe, RoundTripsThroughTheCaptureFile) {
  const std::vector<bpf::ProbeResult> results = {{"btf", bpf::ProbeResult::yes, "there"},
                                                 {"ring_buffer", bpf::ProbeResult::no, "refused"},
                                                 {"fentry", bpf::ProbeResult::unknown, "needs CAP_BPF"}};
  const auto parsed = parse_probe(format_probe(results), "p");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, results);
  EXPECT_FALSE(parse_probe("{}", "p"));
  EXPECT_FALSE(parse_probe("[1]", "p"));
  EXPECT_FALSE(parse_probe(R"({"probe": [{}]})", "p"));
}

TEST(Tier, IsUnknownWhenABetterOneWasNotRuledOut) {
  std::vector<bpf::ProbeResult> all_unknown;
  for (const std::string_view feature : bpf::required_features(bpf::Tier::core))
    all_unknown.push_back({std::string(feature), bpf::ProbeResult::unknown, ""});
  EXPECT_EQ(tier_of(all_unknown), std::nullopt);
  FakeHost host;
  EXPECT_EQ(host.facts().sensor.tier, bpf::Tier::core);
  host.no_bpf({"ring_buffer"});
  EXPECT_EQ(host.facts().sensor.tier, bpf::Tier::legacy);
  host.no_bpf({"tracepoint", "raw_tracepoint", "btf_tracepoint", "ring_buffer", "perf_buffer"});
  EXPECT_EQ(host.facts().sensor.tier, bpf::Tier::netlink);
}

TEST(CapturedWorld, LeavesUnknownWhatTheCaptureDoesNotHold) {
  FakeHost host;
  host.remove("/auditshift-capture");
  const Facts facts = host.facts();
  EXPECT_EQ(facts.host.kernel, "");
  EXPECT_EQ(facts.host.boot_id, "");
  EXPECT_EQ(facts.host.lockdown, "unknown");
  EXPECT_EQ(facts.audit.status.state, auditd::AuditState::unknown);
  EXPECT_FALSE(facts.audit.live.known);
  EXPECT_FALSE(facts.sensor.tier);
  EXPECT_FALSE(facts.log_known);
}

TEST(CapturedWorld, RefusesARootThatIsNotThere) {
  const auto world = captured_world("/nonexistent/auditshift");
  ASSERT_FALSE(world);
  EXPECT_EQ(world.error().code(), base::Errc::not_found);
}

TEST(HostFacts, TakesTheMinorReleaseFromTheReleaseFile) {
  FakeHost host;
  host.release("centos", "7", "3.10.0-957.10.1.el7.x86_64")
      .write("/etc/centos-release", "CentOS Linux release 7.6.1810 (Core)\n");
  EXPECT_EQ(host.facts().host.distribution_version, "7.6");
}

TEST(HostFacts, ReadsLockdownAndPackages) {
  FakeHost host;
  host.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
      .write("/var/lib/dpkg/status",
             "Package: auditd\nStatus: install ok installed\nVersion: 1:3.0.9-1\n\nPackage: mdatp\nStatus: "
             "deinstall ok config-files\nVersion: 101.1.1\n");
  const Facts facts = host.facts();
  EXPECT_EQ(facts.host.lockdown, "integrity");
  EXPECT_EQ(facts.host.packages, (std::map<std::string, std::string>{{"auditd", "1:3.0.9-1"}}));
  EXPECT_EQ(facts.agent.kind, AgentKind::none);
}

}  // namespace
}  // namespace auditshift::migrate
