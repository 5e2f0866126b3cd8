/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* While a record grows, no other program may run on this CPU: the scratch space is the CPU's, and the kernel
 * skips a program, and counts that, where the same one was interrupted on the same CPU. Up to Linux 6.19 it
 * runs tracepoint programs with preemption off. From 7.0 on, and on the return of functions in all versions,
 * they only stay on their CPU, so that another task's may come between. Where the kernel lets a program
 * switch preemption off and call functions of its own meanwhile (6.15 or so: preempt_trial.bpf.c finds out),
 * it does so there; the object for all others is built without AS_HOLD_CPU. */

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
