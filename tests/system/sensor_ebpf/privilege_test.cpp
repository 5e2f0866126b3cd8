// SPDX-License-Identifier: Apache-2.0
// What privilege the provider needs: much to start, little to go on.
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::chrono_literals;

class CountOnly final : public Consumer {
 public:
  void consume(const Event&) override { ++events; }
  void end_of_batch() override {}
  std::size_t events = 0;
};

/// Runs `test` in a child; true when it returned true.
bool in_a_child(const std::function<bool()>& test) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) _exit(test() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool keep_only(std::initializer_list<unsigned> capabilities) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  for (const unsigned capability : capabilities) sets[capability / 32].effective |= 1U << (capability % 32);
  for (auto& set : sets) set.permitted = set.effective;
  return syscall(SYS_capset, &header, sets) == 0;
}

EbpfOptions options_under_test() {
  EbpfOptions options;
  options.perf_events = on_perf_events();
  return options;
}

TEST(Privilege, WithoutAnyStartingFailsWithAHint) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to give up root";
  EXPECT_TRUE(in_a_child([] {
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) return false;
    const base::SystemClock clock;
    EbpfProvider provider(options_under_test(), clock, tier_under_test());
    const auto started = provider.start();
    return !started.ok() && started.error().code() == base::Errc::permission &&
           !started.error().hint().empty();
  }));
}

TEST(Privilege, TwoCapabilitiesAreEnoughToStart) {
  SKIP_ON_LEGACY("tracefs takes root");
  if (const std::string lacking = lacking_privilege(); !lacking.empty()) GTEST_SKIP() << lacking;
  EXPECT_TRUE(in_a_child([] {
    const base::SystemClock clock;
    EbpfProvider provider(options_under_test(), clock, tier_under_test());
    if (!keep_only({CAP_BPF, CAP_PERFMON})) return false;
    const auto started = provider.start();
    if (!started.ok()) std::fprintf(stderr, "%s\n", started.error().message().c_str());
    return started.ok();
  }));
}

TEST(Privilege, OnceStartedCapBpfIsEnough) {
  SKIP_ON_LEGACY("of kernels that know no CAP_BPF");
  if (const std::string lacking = lacking_privilege(); !lacking.empty()) GTEST_SKIP() << lacking;
  EXPECT_TRUE(in_a_child([] {
    const base::SystemClock clock;
    EbpfProvider provider(options_under_test(), clock, tier_under_test());
    if (!provider.start().ok() || !keep_only({CAP_BPF})) return false;
    const pid_t worker = fork();
    if (worker == 0) _exit(0);
    waitpid(worker, nullptr, 0);
    CountOnly counter;
    const KernelExclusion exclusion{"/nonesuch", AS_NODE_PROCESS};
    const auto polled = provider.poll(500ms, counter);
    return polled.ok() && counter.events > 0 && provider.drops().size() == 4 &&
           !provider.drops()[0].per_cpu.empty() && provider.set_exclusions({&exclusion, 1}).ok();
  }));
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
