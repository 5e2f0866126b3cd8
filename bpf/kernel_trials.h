// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/sysroot.h"
#include "bpf/probe.h"

/// The single trials behind KernelProbe. Each undoes what it did before it returns; the `feature` of the
/// answers is left to the caller. All but try_lockdown and try_btf ask the running kernel.
namespace auditshift::bpf {

/// True when the process holds CAP_SYS_ADMIN, or CAP_BPF with CAP_PERFMON (capabilities(7)).
bool may_use_bpf();

/// Whether programs can switch preemption off and call their own functions meanwhile: a program that does
/// loads (bpf/preempt_trial.bpf.c). Found out once; false as well without the privilege to load it.
bool can_hold_cpu();

/// Whether a program on a tracepoint may give way to another task in the middle: from Linux 7.0 on
/// (__BPF_DECLARE_TRACE() in include/trace/bpf_probe.h). Before, and where uname(2) says no release, the
/// kernel runs them with preemption off.
bool tracepoints_are_preemptible();

ProbeResult try_lockdown(const base::Sysroot& host);
ProbeResult try_btf(const base::Sysroot& host);
ProbeResult try_raw_tracepoint(const base::Sysroot& host);
ProbeResult try_tracepoint(const base::Sysroot& host);
ProbeResult try_btf_tracepoint(const base::Sysroot& host);
ProbeResult try_read_memory(const base::Sysroot& host);
ProbeResult try_global_data(const base::Sysroot& host);
ProbeResult try_bounded_loops(const base::Sysroot& host);
ProbeResult try_task_storage(const base::Sysroot& host);
ProbeResult try_ring_buffer(const base::Sysroot& host);
ProbeResult try_perf_buffer(const base::Sysroot& host);
ProbeResult try_fentry(const base::Sysroot& host);
ProbeResult try_no_preemption(const base::Sysroot& host);
ProbeResult try_process_connector(const base::Sysroot& host);

}  // namespace auditshift::bpf
