// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sysroot.h"

/// What the running kernel lets a sensor do, found by doing it.
namespace auditshift::bpf {

/// One thing the kernel can or cannot do. Not knowing is a value of its own, never "no".
struct ProbeResult {
  enum Support { yes, no, unknown };

  std::string feature;  ///< one of the names in `features`
  Support ok = unknown;
  std::string detail;  ///< why, for people: "loaded and attached", "attaching: Operation not permitted"

  bool operator==(const ProbeResult&) const = default;
};

/// Names of what is probed; in parentheses the kernel that brought it.
namespace features {
inline constexpr std::string_view kLockdown = "lockdown";              ///< yes: nothing is locked (5.4)
inline constexpr std::string_view kBtf = "btf";                        ///< kernel type information (5.2)
inline constexpr std::string_view kRawTracepoint = "raw_tracepoint";   ///< loads and attaches (4.17)
inline constexpr std::string_view kTracepoint = "tracepoint";          ///< loads and attaches (4.7)
inline constexpr std::string_view kBtfTracepoint = "btf_tracepoint";   ///< tp_btf loads and attaches (5.5)
inline constexpr std::string_view kReadMemory = "read_kernel_memory";  ///< bpf_probe_read_kernel (5.5)
inline constexpr std::string_view kGlobalData = "global_data";         ///< (5.2)
inline constexpr std::string_view kBoundedLoops = "bounded_loops";     ///< (5.3)
inline constexpr std::string_view kTaskStorage = "task_storage";       ///< in tp_btf programs (5.11)
inline constexpr std::string_view kRingBuffer = "ring_buffer";         ///< (5.8)
inline constexpr std::string_view kPerfBuffer = "perf_buffer";         ///< (4.4)
inline constexpr std::string_view kFentry = "fentry";                  ///< loads and attaches (5.5)
inline constexpr std::string_view kNoPreemption = "no_preemption";     ///< of programs on functions
inline constexpr std::string_view kProcessConnector = "process_connector";  ///< netlink group can be joined
}  // namespace features

/// Finds out what this host's kernel offers to a sensor.
class CapabilityProbe {
 public:
  virtual ~CapabilityProbe() = default;
  /// Every feature once, always in the same order.
  virtual std::vector<ProbeResult> run() = 0;
};

/// Probes the running kernel by loading and attaching tiny programs, each removed before the next. Nothing is
/// pinned, mounted, subscribed to or written. Without CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) what needs
/// them is `unknown`; for a captured host (a root that is not "/") all but its files is.
class KernelProbe final : public CapabilityProbe {
 public:
  /// `masked` features are not tried and answer "no": to see what a weaker kernel would do.
  /// REQUIRES: `host` outlives this.
  explicit KernelProbe(const base::Sysroot& host, std::set<std::string, std::less<>> masked = {});

  /// Probes at the first call and remembers.
  std::vector<ProbeResult> run() override;

 private:
  const base::Sysroot& host_;
  std::set<std::string, std::less<>> masked_;
  std::vector<ProbeResult> results_;
};

/// Answers what it was given.
class FixedProbe final : public CapabilityProbe {
 public:
  explicit FixedProbe(std::vector<ProbeResult> results) : results_(std::move(results)) {}
  std::vector<ProbeResult> run() override { return results_; }

 private:
  std::vector<ProbeResult> results_;
};

/// How a sensor can work on a kernel, best first.
enum class Tier {
  fentry,   ///< hooks on the functions of the watched system calls instead of on every call; else as core
  core,     ///< BTF tracepoints, ring buffer, task storage
  legacy,   ///< plain tracepoints, perf buffer, no BTF
  netlink,  ///< process connector: process events only
  none,
};

/// "fentry", "core", "legacy", "netlink", "none".
std::string_view tier_name(Tier tier);

/// The features that `tier` cannot do without.
const std::vector<std::string_view>& required_features(Tier tier);

/// The best tier but fentry, which is taken by name alone, whose features all answer `yes`; `unknown` counts
/// as missing.
Tier choose_tier(const std::vector<ProbeResult>& results);

/// The features that keep `tier` from working, each with its result; empty when it works.
std::vector<ProbeResult> missing_features(const std::vector<ProbeResult>& results, Tier tier);

}  // namespace auditshift::bpf
