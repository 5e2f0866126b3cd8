/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What the programs share: knobs, maps, scratch space, counters, submitting. */

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel_types.h"
#include "bpf/record.h"

/* Code for what rarely happens goes behind the rest: between two events the kernel has used most of the cache
 * for instructions itself, and each line of it that a program takes up is fetched from further away. */
#ifndef likely
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif

/* ---- knobs: set before loading, constants for the verifier ---- */

const volatile __u16 call_index[AS_SYSCALL_LIMIT];
const volatile struct as_call calls[AS_CALL_LIMIT];
/* i386's socketcall(2): its call number to ours. */
const volatile __u8 socketcalls[AS_SOCKETCALL_LIMIT];
const volatile __u64 kinds_on;     /* bit set of enum as_kind, for those that no system call brings */
const volatile __u32 options;      /* enum as_option */
const volatile __u64 bpf_commands; /* bit set of the bpf(2) commands worth a record */
const volatile __u32 argv_limit = AS_PATH_SIZE; /* bytes, at most AS_PATH_SIZE */
const volatile __u32 wakeup_shift = 20;         /* the reader is woken whenever 2^n more bytes wait */

/* ---- state that the user side may change while the programs run ---- */

struct as_state state = {};

/* From the caller's memory; 0 when all of it was there. */
static __always_inline long read_user(void* target, __u32 size, __u64 address) {
  return bpf_probe_read_user(target, size, (const void*)address);
}

/* ---- maps ---- */

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 16 << 20); /* the user side sets its own */
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE); /* so that looking at them disturbs no program */
  __uint(max_entries, 1);            /* the user side sets as many as there are CPUs */
  __type(key, __u32);
  __type(value, struct as_cpu_counts);
} counters SEC(".maps");

/* The exclusions: one tree, made by the user side as large as it has to be, and replaced as a whole, so that
 * every event meets either the old ones or the new ones. */
struct as_excluded_tree {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct as_node_key);
  __type(value, __u32);
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct as_excluded_tree);
} exclusions SEC(".maps");

/* Addresses in the kernel, as plain numbers: they are compared and read from, never followed. */
struct as_place {
  __u64 mount; /* struct vfsmount */
  __u64 dentry;
};

#define AS_EXECUTABLE_SIZE 512

enum as_excluded { AS_EXCLUDED_PROCESS = 1 << 0, AS_EXCLUDED_CHILDREN = 1 << 1 };

/* What does not change between two execs, kept with the thread group's leader. */
struct as_process {
  struct as_place root; /* whose `chrooted` is remembered */
  __u8 chrooted;
  __u8 excluded;  /* enum as_excluded, by its own executable */
  __u8 inherited; /* by that of an ancestor */
  __u8 ready;     /* the executable is known */
  __u8 executable_flags;
  __u16 executable_length;
  __u32 judged; /* as_state.exclusions when that was found */
  /* Components. */
  char executable[AS_EXECUTABLE_SIZE] __attribute__((aligned(8)));
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct as_process);
} processes SEC(".maps");

/* Processes whose end was told, by the start of their leader, which no two of them share as long as both are
 * in here. Only of those whose last threads end at the same time, see is_first_end(). */
#define AS_ENDED_PROCESSES 1024

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, AS_ENDED_PROCESSES);
  __type(key, struct as_task_start);
  __type(value, __u8);
} ended SEC(".maps");

/* The process whose record grew on a CPU last, and what as_process says of it. Its executable still begins
 * the data there, so that its next record needs neither the process's storage nor a copy. */
struct as_known_process {
  __u64 start_ns;
  __u64 exec_id; /* goes up with each exec (task_struct.self_exec_id) */
  __u32 pid;     /* 0: none */
  __u32 judged;  /* as_state.exclusions */
  __u32 excluded;
  struct as_text executable;
};

/* What a program found of its call before it begins the record. It lies in memory, of which the verifier
 * assumes nothing, so that it looks at what follows once and not once for each way that leads there. */
struct as_seen_call {
  __u32 index; /* in `calls` */
  __u32 compat;
};

/* Where a record grows: too large for the stack of 512 bytes. */
struct as_scratch {
  __u32 busy;
  __u32 used; /* bytes of `data` */
  struct as_known_process known;
  struct as_seen_call call;
  struct as_place root;  /* of the process */
  struct as_place place; /* where a walk begins, or goes on */
  __u64 mount_root;      /* of that mount: dentry */
  __u32 chrooted;
  __u32 unasked; /* see wake_flag() */
  __u64 parts_filled;
  __u32 names;                 /* of the components added last */
  __u16 starts[AS_NODE_DEPTH]; /* where each of them begins, from the first byte of the text on */
  __u32 next;                  /* see follow_name() */
  __u32 directory_node;        /* where the directory added last is in the tree of exclusions */
  struct as_node_key key;
  __u32 reserved;
  __u64 begun; /* when, while events are counted */
  struct as_name_key name_key;
  struct as_record record;
  char data[AS_DATA_SIZE + AS_TEXT_SIZE];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct as_scratch);
} scratch_space SEC(".maps");

/* ---- counters ---- */

static __always_inline void count_on(__u32 cpu, __u32 counter) {
  struct as_cpu_counts* value = bpf_map_lookup_elem(&counters, &cpu);
  /* Nothing interrupts a program of ours on its CPU but another: see busy. */
  if (value && counter < AS_COUNTERS) value->counts[counter]++;
}

static __always_inline void count(__u32 counter) { count_on(bpf_get_smp_processor_id(), counter); }

/* ---- scratch space ---- */

static __always_inline struct as_scratch* scratch_of_cpu(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&scratch_space, &zero);
}

/* Tracepoints run with preemption off, so two records cannot grow on one CPU; should a kernel do otherwise,
 * the later one is counted as lost instead of spoiling the earlier. */
static __always_inline struct as_scratch* take_scratch(void) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return 0;
  if (unlikely(scratch->busy)) {
    count(AS_COUNT_BUSY);
    return 0;
  }
  scratch->busy = 1;
  scratch->used = 0;
  scratch->begun = unlikely(state.counting) ? bpf_ktime_get_ns() : 0;
  return scratch;
}

static __always_inline void release_scratch(struct as_scratch* scratch) { scratch->busy = 0; }

/* How full the ring is, is asked whenever this CPU has written so many bytes. */
#define AS_ASK_BYTES 4096

/* Whether to wake the reader: when another part of the ring has filled up since this CPU asked. Waking it
 * costs ten times what a record does; all else is left to the reader's own timer. */
static __always_inline __u64 wake_flag(struct as_scratch* scratch, __u32 size) {
  scratch->unasked += size;
  if (likely(scratch->unasked < AS_ASK_BYTES)) return BPF_RB_NO_WAKEUP;
  scratch->unasked = 0;
  __u64 before = scratch->parts_filled;
  scratch->parts_filled = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >> wakeup_shift;
  return scratch->parts_filled > before ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void put_into_ring(struct as_scratch* scratch) {
  __u64 size = sizeof(struct as_record) + scratch->used;
  size = (size + 7) & ~7ULL;
  if (unlikely(size > AS_RECORD_LIMIT)) size = AS_RECORD_LIMIT;
  scratch->record.size = size;
  __u64 flags = wake_flag(scratch, size);
  long full = bpf_ringbuf_output(&ring, &scratch->record, size, flags);
  count_on(scratch->record.cpu, full ? AS_COUNT_RING_FULL : AS_COUNT_SUBMITTED);
}
