/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* Where the kernel notes that a task is in a 32-bit system call, for tier legacy, which has no type
 * information to ask: x86's TS_COMPAT stands in struct thread_info, at one place or another, or, before 4.16,
 * in struct thread_struct. A process of the sensor's makes calls of both kinds by turns, the task is copied
 * at each, and the user side looks for the word whose bit went along (sensor/task_layout.h). */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/legacy.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct as_layout_knobs);
} layout_knobs SEC(".maps");

/* How often each kind was seen: native, 32-bit. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u32);
} rounds SEC(".maps");

struct as_task_copy {
  char bytes[AS_TASK_CHUNKS][AS_TASK_CHUNK];
};

/* Native calls at the even places, 32-bit ones at the odd. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 2 * AS_TASK_ROUNDS);
  __type(key, __u32);
  __type(value, struct as_task_copy);
} copies SEC(".maps");

struct sys_enter_context {
  __u64 common;
  long id;
};

SEC("tracepoint/raw_syscalls/sys_enter")
int copy_task(struct sys_enter_context* context) {
  __u32 zero = 0;
  const struct as_layout_knobs* knobs = bpf_map_lookup_elem(&layout_knobs, &zero);
  if (!knobs || knobs->pid != bpf_get_current_pid_tgid() >> 32) return 0;
  __u32 number = (__u32)context->id, compat = number == knobs->compat_number;
  if (!compat && number != knobs->native_number) return 0;
  __u32* round = bpf_map_lookup_elem(&rounds, &compat);
  if (!round || *round >= AS_TASK_ROUNDS) return 0;
  __u32 place = 2 * *round + compat;
  (*round)++;
  struct as_task_copy* copy = bpf_map_lookup_elem(&copies, &place);
  if (!copy) return 0;
  __u64 task = bpf_get_current_task();
#pragma unroll
  for (int i = 0; i < AS_TASK_CHUNKS; i++)
    bpf_probe_read(copy->bytes[i], AS_TASK_CHUNK, (const void*)(task + i * AS_TASK_CHUNK));
  return 0;
}
