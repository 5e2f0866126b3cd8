// SPDX-License-Identifier: Apache-2.0
// The daemon where the kernel lacks what it could use: the best that is left, the reason, and events all the
// same. What a kernel lacks is masked for the daemon alone (mask_bpf.c).
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/sysroot.h"
#include "bpf/tracepoint_format.h"
#include "sensor_process.h"

namespace auditshift::sensor {
namespace {

struct Masked {
  const char* name;
  const char* features;
  const char* provider;
  const char* tier;
};

constexpr Masked kMasked[] = {
    {"Nothing", "none", "ebpf", "core"},
    {"TaskStorage", "task-storage", "ebpf", "legacy"},
    {"RingBuffer", "ring-buffer", "ebpf", "legacy"},
    {"TracingPrograms", "tracing", "ebpf", "legacy"},
    {"AllThatCoreNeeds", "btf,task-storage,ring-buffer,tracing,raw-tracepoint", "ebpf", "legacy"},
    {"BothBuffers", "ring-buffer,perf-array", "netlink", ""},
    {"AllProgramsOnTracepoints", "tracing,raw-tracepoint,tracepoint", "netlink", ""},
    {"AllOfBpf", "bpf", "netlink", ""},
    {"ProgramsThatNeverRun", "deaf", "netlink", ""},
};

class MaskedFeatures : public testing::TestWithParam<Masked> {
 protected:
  /// Tier legacy needs tracefs: where it is not mounted, it is, in a mount namespace that ends with this
  /// process.
  static void SetUpTestSuite() {
    const auto host = base::Sysroot::open("/");
    if (!host.ok() || bpf::tracefs_directory(*host).ok() || ::unshare(CLONE_NEWNS) != 0) return;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    (void)!::mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
  }
  void SetUp() override {
    for (const char* provider : {"ebpf", "netlink"}) {
      if (const std::string reason = obstacle(provider); !reason.empty()) GTEST_SKIP() << reason;
    }
    const auto host = base::Sysroot::open("/");
    ASSERT_TRUE(bpf::tracefs_directory(*host).ok()) << "tracefs cannot be mounted";
  }
  void start() {
    // The library comes before that of a sanitizer, which minds.
    const char* sanitizer = std::getenv("ASAN_OPTIONS");
    const std::string options = sanitizer == nullptr ? "" : sanitizer;
    ::setenv("ASAN_OPTIONS", (options + ":verify_asan_link_order=0").c_str(), 1);
    ::setenv("LD_PRELOAD", AUDITSHIFT_MASK, 1);
    ::setenv("AUDITSHIFT_MASK", GetParam().features, 1);
    const bool started = sensor_.start({"--provider", "auto"});
    ::unsetenv("LD_PRELOAD");
    ::unsetenv("AUDITSHIFT_MASK");
    ::setenv("ASAN_OPTIONS", options.c_str(), 1);
    ASSERT_TRUE(started) << sensor_.log();
  }

  SensorProcess sensor_;
};

TEST_P(MaskedFeatures, LeaveTheBestThatWorks) {
  ASSERT_NO_FATAL_FAILURE(start());
  const base::Json health = sensor_.ask({{"request", "health"}});
  EXPECT_EQ(health["supplementary_events_subsystem"], GetParam().provider);
  EXPECT_EQ(health["sensor_tier"], GetParam().tier);
  const std::string details = sensor_.ask({{"request", "health"}, {"details", "ebpf"}}).dump();
  const bool is_core = std::string_view(GetParam().tier) == "core";
  EXPECT_EQ(
      details.find("not tier core") != std::string::npos || details.find("not ebpf") != std::string::npos,
      !is_core)
      << details;
  if (std::string_view(GetParam().features) == "deaf") {
    EXPECT_NE(details.find("processes of our own were not seen"), std::string::npos) << details;
  }

  const std::string program = sensor_.file("marked-program");
  std::filesystem::copy_file(std::filesystem::canonical("/bin/sleep"), program);
  const pid_t pid = run_program({program, "0.3"});
  const base::Json exec =
      sensor_.wait_for(R"("pid":)" + std::to_string(pid) + ",",
                       [](const base::Json& event) { return event["event"]["action"] == "exec"; });
  ASSERT_FALSE(exec.is_null()) << sensor_.log();
  EXPECT_EQ(exec["event"]["provider"], GetParam().provider);
  EXPECT_EQ(exec["process"]["executable"], program);
  EXPECT_EQ(sensor_.stop(SIGTERM), 0);
}

INSTANTIATE_TEST_SUITE_P(Kernel, MaskedFeatures, testing::ValuesIn(kMasked),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace auditshift::sensor
