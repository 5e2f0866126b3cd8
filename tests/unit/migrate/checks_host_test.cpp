// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "fake_host.h"

namespace auditshift::migrate {
namespace {

std::string verdict(const FakeHost& host, const AssessOptions& options = {}) {
  return std::string(to_string(host.assess(options).verdict));
}

TEST(HostChecks, KnownBadKernelsBlockUntilAcceptedByName) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .release("rhel", "8.1", "4.18.0-147.el8.x86_64")
      .write("/usr/sap/trans/x", "");
  EXPECT_TRUE(find(host.assess(), "HST004"));
  EXPECT_EQ(verdict(host), "blocked");
  EXPECT_EQ(verdict(host, {.skip = {}, .accept = {"HST004"}}), "ready");
  host.remove("/usr/sap");
  EXPECT_EQ(verdict(host), "ready");
}

TEST(HostChecks, TheTwoBadUekBuildsAndTheirNeighbours) {
  for (const auto& [kernel, bad] :
       {std::pair{"5.15.0-0.30.20.el8uek.x86_64", true}, std::pair{"5.15.0-0.30.20.1.el8uek.x86_64", true},
        std::pair{"5.15.0-0.30.19.el8uek.x86_64", false}, std::pair{"5.15.0-1.43.4.el8uek.x86_64", false}}) {
    FakeHost host;
    host.audit(1).mdatp("101.24102.0000", "auditd").release("ol", "8.8", kernel);
    EXPECT_EQ(outcome(host.assess(), "HST005"), bad ? "found" : "nothing") << kernel;
  }
}

TEST(HostChecks, KspliceOnOracle7) {
  FakeHost host;
  host.audit(1)
      .mdatp("101.24102.0000", "auditd")
      .release("ol", "7.9", "5.4.17-2136.el7uek.x86_64")
      .write("/usr/bin/ksplice", "");
  EXPECT_EQ(verdict(host), "blocked");
  EXPECT_TRUE(find(host.assess(), "HST006"));
}

TEST(HostChecks, TheLeakDependsOnKernelAndBuild) {
  const auto leak = [](const char* kernel, const char* build) {
    FakeHost host;
    host.audit(1).mdatp(build, "auditd").release("rhel", "7.9", kernel);
    return outcome(host.assess(), "HST007");
  };
  EXPECT_EQ(leak("3.10.0-1160.el7.x86_64", "101.24042.0002"), "found");
  EXPECT_EQ(leak("3.10.0-1160.el7.x86_64", "101.24052.0002"), "nothing");
  EXPECT_EQ(leak("4.18.0-147.el8.x86_64", "101.24042.0002"), "nothing");
  EXPECT_EQ(leak("4.16.9-1", "101.24042.0002"), "found");
}

TEST(HostChecks, BelowTheMinimumOnlyNetlinkRemains) {
  FakeHost host;
  host.audit(1).mdatp("101.24102.0000", "auditd").release("sles", "12.5", "4.12.14-122.179-default");
  EXPECT_EQ(verdict(host), "netlink-only");
  EXPECT_EQ(exit_code_of(host.assess()), 2);
  EXPECT_EQ(exit_code_of(host.assess({.skip = {}, .accept = {"HST002"}})), 0);
}

TEST(HostChecks, AnUnlistedDistributionGoesByTheTrial) {
  FakeHost host;
  host.audit(1).mdatp("101.24102.0000", "auditd").release("gentoo", "2.15", "6.6.30-gentoo");
  EXPECT_TRUE(find(host.assess(), "HST003"));
  EXPECT_EQ(verdict(host), "ready");
}

TEST(SensorChecks, AKernelThatRefusesBpfIsNetlinkOnly) {
  FakeHost host;
  host.audit(1).no_bpf({"tracepoint", "raw_tracepoint", "btf_tracepoint", "ring_buffer", "perf_buffer"});
  EXPECT_TRUE(find(host.assess(), "BPF002"));
  EXPECT_EQ(verdict(host), "netlink-only");
}

TEST(SensorChecks, TheLegacyTierIsTold) {
  FakeHost host;
  host.audit(1).no_bpf({"ring_buffer"});
  EXPECT_TRUE(find(host.assess(), "BPF003"));
  EXPECT_EQ(verdict(host), "ready");
}

TEST(SensorChecks, LockdownForConfidentialityBlocks) {
  FakeHost host;
  host.audit(1).write("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  EXPECT_EQ(verdict(host), "blocked");
  host.write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(verdict(host), "ready");
}

TEST(SensorChecks, NotTriedIsNotRefused) {
  FakeHost host;
  host.audit(1).remove("/auditshift-capture/ebpf-probe.json");
  const Assessment assessment = host.assess();
  EXPECT_TRUE(find(assessment, "BPF001"));
  EXPECT_EQ(outcome(assessment, "BPF002"), "not-run");
  EXPECT_EQ(verdict(host), "ready");
}

}  // namespace
}  // namespace auditshift::migrate
