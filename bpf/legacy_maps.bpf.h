/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What tier legacy's programs share: maps instead of global data, the CPU's record, counting, submitting. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/legacy.h"

/* ---- knobs: set before the programs are attached */

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct as_legacy_knobs);
} knob_space SEC(".maps");

/* By system-call number: AS_NATIVE_CALL() and AS_COMPAT_CALL() of it. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, AS_SYSCALL_LIMIT);
  __type(key, __u32);
  __type(value, __u32);
} call_index SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, AS_CALL_LIMIT);
  __type(key, __u32);
  __type(value, struct as_call);
} calls SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, AS_SOCKETCALL_LIMIT);
  __type(key, __u32);
  __type(value, __u32);
} socketcalls SEC(".maps");

/* ---- state */

/* A call that was entered. */
struct as_pending {
  __u32 number; /* without x32's marker bit */
  __u32 index;  /* in `calls` */
  __u32 abi;
  __u32 reserved;
  __u64 arguments[AS_ARGUMENTS];
  __u64 details[2]; /* as in struct as_record */
};

/* By thread (pid in the upper half, as bpf_get_current_pid_tgid() gives it). */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, AS_LEGACY_CALLS);
  __type(key, __u64);
  __type(value, struct as_pending);
} pendings SEC(".maps");

struct as_end {
  __u32 status; /* as wait(2) gives it, but for the bit that tells of a core dump */
  __u32 final;
};

/* By pid. Who is last of a process to use its entry cannot be told here, so the oldest give way. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, AS_LEGACY_ENDS);
  __type(key, __u32);
  __type(value, struct as_end);
} ends SEC(".maps");

/* ---- records */

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1); /* the user side sets as many as there are CPUs, and BPF_F_MMAPABLE from 5.5 on */
  __type(key, __u32);
  __type(value, struct as_cpu_counts);
} counters SEC(".maps");

/* Where a record grows: too large for the stack of 512 bytes. */
struct as_scratch {
  __u32 used; /* bytes of `data` */
  __u32 reserved;
  struct as_record record;
  char data[AS_DATA_SIZE + AS_TEXT_SIZE];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct as_scratch);
} scratch_space SEC(".maps");

static __always_inline const struct as_legacy_knobs* knobs_in_use(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&knob_space, &zero);
}

static __always_inline void count(__u32 counter) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct as_cpu_counts* value = bpf_map_lookup_elem(&counters, &cpu);
  if (value && counter < AS_COUNTERS) value->counts[counter]++;
}

/* From the caller's memory, or the kernel's; 0 when all of it was there. */
static __always_inline long read_user(void* target, __u32 size, __u64 address) {
  return bpf_probe_read(target, size, (const void*)address);
}

/* The CPU's record with all that helpers tell of the current process; the rest is zero, ids are unknown. */
static __always_inline struct as_scratch* begin_record(__u32 kind) {
  __u32 zero = 0;
  struct as_scratch* scratch = bpf_map_lookup_elem(&scratch_space, &zero);
  if (!scratch) return 0;
  struct as_record* record = &scratch->record;
  __builtin_memset(record, 0, sizeof *record);
  scratch->used = 0;
  __u64 thread = bpf_get_current_pid_tgid(), user = bpf_get_current_uid_gid();
  record->kind = kind;
  record->boot_ns = bpf_ktime_get_ns(); /* CLOCK_MONOTONIC: the helper for boot time came with 5.8 */
  record->cpu = bpf_get_smp_processor_id();
  record->syscall = -1;
  record->pid = thread >> 32;
  record->tid = (__u32)thread;
  record->uid = (__u32)user;
  record->gid = user >> 32;
  bpf_get_current_comm(record->comm, sizeof record->comm);
  return scratch;
}

static __always_inline void submit(void* context, struct as_scratch* scratch) {
  count(AS_COUNT_SUBMITTED);
  __u64 size = sizeof(struct as_record) + scratch->used;
  scratch->record.size = size;
  asm volatile("" : "+r"(size));                   /* see legacy_texts.bpf.h */
  if (size > AS_RECORD_LIMIT || size == 0) return; /* never */
  long status =
      bpf_perf_event_output(context, &records, 0xffffffffULL /* BPF_F_CURRENT_CPU */, &scratch->record, size);
  /* A full buffer is told by the buffer itself (PERF_RECORD_LOST), as kernels before 5.1 do not tell it here.
   * These are the CPUs without a buffer: they came after the sensor. */
  if (status == -2 /* ENOENT */ || status == -95 /* EOPNOTSUPP */) count(AS_COUNT_RING_FULL);
}
