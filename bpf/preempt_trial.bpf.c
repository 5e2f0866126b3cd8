/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* Loads where a program can switch preemption off (bpf_preempt_disable(), 6.11) and call a global function
 * meanwhile, as those of sensor.bpf.c do, which the verifiers before 6.15 or so refuse. Never attached. */

#define AS_HOLD_CPU
#include "bpf/preemption.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__noinline int called(int number) { return number + 1; }

SEC("tp_btf/sched_process_exec")
int on_trial(void* context) {
  hold_cpu();
  int number = called(1);
  release_cpu();
  return number;
}
