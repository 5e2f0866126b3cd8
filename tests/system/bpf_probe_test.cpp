// SPDX-License-Identifier: Apache-2.0
// The capability probe against the kernel that runs here.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "bpf/kernel_trials.h"
#include "bpf/probe.h"

namespace auditshift::bpf {
namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

const ProbeResult& find(const std::vector<ProbeResult>& results, std::string_view feature) {
  static const ProbeResult none;
  for (const ProbeResult& result : results) {
    if (result.feature == feature) return result;
  }
  return none;
}

TEST(KernelProbe, AnswersForThisKernelAndLeavesNoDescriptorBehind) {
  if (!may_use_bpf()) GTEST_SKIP() << "needs root, or CAP_BPF and CAP_PERFMON";
  const auto host = base::Sysroot::open("/");
  ASSERT_TRUE(host.ok());
  const std::size_t before = open_descriptors();
  const auto results = KernelProbe(*host).run();
  EXPECT_EQ(open_descriptors(), before);
  for (const ProbeResult& result : results) {
    EXPECT_FALSE(result.detail.empty()) << result.feature;
    std::printf("%-20s %-8s %s\n", result.feature.c_str(),
                result.ok == ProbeResult::yes  ? "yes"
                : result.ok == ProbeResult::no ? "no"
                                               : "unknown",
                result.detail.c_str());
  }
  // Every kernel that this project is built on for tests has these (5.3 and later).
  EXPECT_EQ(find(results, features::kRawTracepoint).ok, ProbeResult::yes);
  EXPECT_EQ(find(results, features::kBoundedLoops).ok, ProbeResult::yes);
  EXPECT_EQ(find(results, features::kGlobalData).ok, ProbeResult::yes);
}

TEST(KernelProbe, WithoutPrivilegeDoesNotClaimToKnow) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to give up root";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(2);
    const auto host = base::Sysroot::open("/");
    if (!host.ok()) _exit(3);
    const auto results = KernelProbe(*host).run();
    const bool honest = find(results, features::kBtfTracepoint).ok == ProbeResult::unknown &&
                        find(results, features::kRingBuffer).ok == ProbeResult::unknown &&
                        choose_tier(results) == Tier::none;
    _exit(honest ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace auditshift::bpf
