// SPDX-License-Identifier: Apache-2.0
#include "migrate/check.h"

namespace auditshift::migrate {
namespace {

std::vector<Evidence> probe_evidence(const CheckContext& c, bpf::ProbeResult::Support wanted) {
  std::vector<Evidence> evidence;
  for (const bpf::ProbeResult& result : c.facts.sensor.probe)
    if (result.ok == wanted)
      evidence.push_back({c.facts.sensor.source, 0, result.feature + ": " + result.detail});
  return evidence;
}

CheckOutcome probe_unknown(const CheckContext& c) {
  if (c.facts.sensor.tier) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis = c.facts.host.live ? "Whether eBPF works here could not be tried: it takes root."
                                        : "The capture does not tell whether eBPF works on this host.";
  finding.evidence = probe_evidence(c, bpf::ProbeResult::unknown);
  finding.data = {{"source", c.facts.sensor.source}};
  finding.remediations.push_back({.hint = c.facts.host.live
                                              ? "Run the assessment as root."
                                              : "Capture the host again as root with auditshift collect."});
  return std::vector{finding};
}

CheckOutcome no_ebpf(const CheckContext& c) {
  if (!c.facts.sensor.tier) return NotRun{"eBPF could not be tried"};
  if (*c.facts.sensor.tier == bpf::Tier::core || *c.facts.sensor.tier == bpf::Tier::legacy)
    return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::high;
  finding.blocks = Blocks::overridable;
  finding.diagnosis = *c.facts.sensor.tier == bpf::Tier::netlink
                          ? "This kernel does not let an eBPF sensor load and attach; Netlink would supply "
                            "process events only."
                          : "This kernel supports neither an eBPF sensor nor the process connector.";
  finding.evidence = probe_evidence(c, bpf::ProbeResult::no);
  finding.data = {{"tier", bpf::tier_name(*c.facts.sensor.tier)}};
  finding.remediations.push_back({.hint = "Boot a kernel with BPF tracing, or accept process events only."});
  return std::vector{finding};
}

CheckOutcome legacy_tier(const CheckContext& c) {
  if (!c.facts.sensor.tier) return NotRun{"eBPF could not be tried"};
  if (*c.facts.sensor.tier != bpf::Tier::legacy) return std::vector<Finding>{};
  Finding finding;
  finding.severity = FindingSeverity::low;
  finding.diagnosis =
      "eBPF works here without type information (BTF) or without a ring buffer: the legacy tier is used.";
  finding.evidence = probe_evidence(c, bpf::ProbeResult::no);
  finding.data = {{"tier", "legacy"}};
  return std::vector{finding};
}

CheckOutcome lockdown(const CheckContext& c) {
  const std::string& mode = c.facts.host.lockdown;
  if (mode == "unknown") return NotRun{"the kernel's lockdown mode is unknown"};
  if (mode != "integrity" && mode != "confidentiality") return std::vector<Finding>{};
  Finding finding;
  const bool blocking = mode == "confidentiality";
  finding.severity = blocking ? FindingSeverity::high : FindingSeverity::info;
  finding.blocks = blocking ? Blocks::overridable : Blocks::none;
  finding.diagnosis = blocking ? "The kernel is locked down for confidentiality: BPF programs may not read "
                                 "kernel memory, so no eBPF sensor works."
                               : "The kernel is locked down for integrity: eBPF sensors work.";
  finding.evidence.push_back({"/sys/kernel/security/lockdown", 0, mode});
  finding.data = {{"lockdown", mode}};
  if (blocking)
    finding.remediations.push_back(
        {.hint = "Boot with lockdown=integrity, or without lockdown.", .reboot = true});
  return std::vector{finding};
}

constexpr Check kChecks[] = {
    {"BPF001", "eBPF not tried",
     "Only loading and attaching a program shows whether a kernel lets a sensor work.", always,
     probe_unknown},
    {"BPF002", "eBPF does not work", "The sensor needs tracepoint programs and a buffer towards user space.",
     always, no_ebpf},
    {"BPF003", "Legacy eBPF tier",
     "Kernels without BTF or ring buffer are served by another set of programs.", always, legacy_tier},
    {"BPF004", "Kernel lockdown",
     "Lockdown can forbid reading kernel memory, which every tracing program does.", always, lockdown},
};

}  // namespace

std::span<const Check> sensor_checks() { return kChecks; }

}  // namespace auditshift::migrate
