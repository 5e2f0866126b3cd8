// SPDX-License-Identifier: Apache-2.0
#include "bpf/probe.h"

#include <algorithm>

#include "bpf/kernel_trials.h"
#include "bpf/libbpf_log.h"

namespace auditshift::bpf {
namespace {

struct Probe {
  std::string_view feature;
  bool needs_privilege;
  ProbeResult (*run)(const base::Sysroot& host);
};

// In the order of the answers.
constexpr Probe kProbes[] = {
    {features::kLockdown, false, try_lockdown},
    {features::kBtf, false, try_btf},
    {features::kRawTracepoint, true, try_raw_tracepoint},
    {features::kTracepoint, true, try_tracepoint},
    {features::kBtfTracepoint, true, try_btf_tracepoint},
    {features::kReadMemory, true, try_read_memory},
    {features::kGlobalData, true, try_global_data},
    {features::kBoundedLoops, true, try_bounded_loops},
    {features::kTaskStorage, true, try_task_storage},
    {features::kRingBuffer, true, try_ring_buffer},
    {features::kPerfBuffer, true, try_perf_buffer},
    {features::kFentry, true, try_fentry},
    {features::kNoPreemption, true, try_no_preemption},
    {features::kProcessConnector, true, try_process_connector},
};

ProbeResult run_one(const Probe& probe, const base::Sysroot& host, bool privileged, bool masked) {
  const std::string name(probe.feature);
  if (masked) return {name, ProbeResult::no, "masked by option"};
  if (probe.needs_privilege && !host.is_live()) {
    return {name, ProbeResult::unknown, "only the running kernel can be asked"};
  }
  if (probe.needs_privilege && !privileged) {
    return {name, ProbeResult::unknown, "needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"};
  }
  ProbeResult result = probe.run(host);
  result.feature = name;
  return result;
}

}  // namespace

KernelProbe::KernelProbe(const base::Sysroot& host, std::set<std::string, std::less<>> masked)
    : host_(host), masked_(std::move(masked)) {}

std::vector<ProbeResult> KernelProbe::run() {
  if (results_.empty()) {
    route_libbpf_messages();
    const bool privileged = may_use_bpf();
    for (const Probe& probe : kProbes) {
      results_.push_back(run_one(probe, host_, privileged, masked_.contains(probe.feature)));
    }
  }
  return results_;
}

std::string_view tier_name(Tier tier) {
  switch (tier) {
    case Tier::fentry:
      return "fentry";
    case Tier::core:
      return "core";
    case Tier::legacy:
      return "legacy";
    case Tier::netlink:
      return "netlink";
    case Tier::none:
      return "none";
  }
  return {};
}

const std::vector<std::string_view>& required_features(Tier tier) {
  static const std::vector<std::string_view> core = {
      features::kBtf,          features::kBtfTracepoint, features::kReadMemory, features::kGlobalData,
      features::kBoundedLoops, features::kTaskStorage,   features::kRingBuffer};
  static const std::vector<std::string_view> fentry = [] {
    std::vector<std::string_view> names = core;
    names.insert(names.end(), {features::kFentry, features::kNoPreemption});
    return names;
  }();
  static const std::vector<std::string_view> legacy = {features::kTracepoint, features::kPerfBuffer};
  static const std::vector<std::string_view> netlink = {features::kProcessConnector};
  static const std::vector<std::string_view> none;
  switch (tier) {
    case Tier::fentry:
      return fentry;
    case Tier::core:
      return core;
    case Tier::legacy:
      return legacy;
    case Tier::netlink:
      return netlink;
    case Tier::none:
      break;
  }
  return none;
}

std::vector<ProbeResult> missing_features(const std::vector<ProbeResult>& results, Tier tier) {
  std::vector<ProbeResult> missing;
  for (const std::string_view feature : required_features(tier)) {
    const auto found = std::find_if(results.begin(), results.end(),
                                    [&](const ProbeResult& result) { return result.feature == feature; });
    if (found == results.end()) {
      missing.push_back({std::string(feature), ProbeResult::unknown, "not probed"});
    } else if (found->ok != ProbeResult::yes) {
      missing.push_back(*found);
    }
  }
  return missing;
}

Tier choose_tier(const std::vector<ProbeResult>& results) {
  for (const Tier tier : {Tier::core, Tier::legacy, Tier::netlink}) {
    if (missing_features(results, tier).empty()) return tier;
  }
  return Tier::none;
}

}  // namespace auditshift::bpf
