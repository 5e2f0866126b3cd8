/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* While a record grows, no other program may run on this CPU: the scratch space is the CPU's, and the kernel
 * skips a program, and counts that, where the same one was interrupted on the same CPU. Up to Linux 6.19 it
 * runs tracepoint programs with preemption off. From 7.0 on, and on the return of functions in all versions,
 * they only stay on their CPU, so that another task's may come between. Programs on functions are therefore
 * for kernels that are not preemptible (try_no_preemption()).
 *
 * The kernel still calls perf events of tracepoints with preemption off (include/trace/perf.h), so from 7.0
 * on the programs are attached to those (AS_PERF_EVENTS). Where the sensor may open no perf events, programs
 * switch preemption off themselves (AS_HOLD_CPU) where the kernel lets them do that and call functions of
 * their own meanwhile (6.15 or so: preempt_trial.bpf.c finds out). This is the lesser way: the task may be
 * preempted as soon as that is over, and the kernel still counts the program as running. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#ifdef AS_HOLD_CPU
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

static __always_inline void hold_cpu(void) { bpf_preempt_disable(); }
static __always_inline void release_cpu(void) { bpf_preempt_enable(); }
#else
static __always_inline void hold_cpu(void) {}
static __always_inline void release_cpu(void) {}
#endif
