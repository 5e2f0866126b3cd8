/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* What the sensor is measured against: the least that any program at sys_exit costs, the least that one costs
 * that submits a fixed record of 64 bytes for a rename, and one that copies its two paths. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* rename, renameat, renameat2: the first has its two paths elsewhere; where there is none, a number of no
 * call */
const volatile __u32 rename_numbers[3];

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 16 << 20); /* as the sensor's is by default */
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} calls SEC(".maps");

__u64 dropped = 0; /* of all CPUs, roughly: more than none is what matters */

static __always_inline __u64 number_of(struct pt_regs* regs) {
#if defined(__TARGET_ARCH_x86)
  return regs->orig_ax;
#else
  return regs->syscallno;
#endif
}

static __always_inline int is_rename(struct pt_regs* regs) {
  __u64 number = number_of(regs);
  return number == rename_numbers[0] || number == rename_numbers[1] || number == rename_numbers[2];
}

struct fixed {
  __u64 time;
  __u64 pid;
  __u64 result;
  __u64 rest[5];
};

SEC("tp_btf/sys_exit")
int BPF_PROG(submit_fixed, struct pt_regs* regs, long result) {
  if (!is_rename(regs)) return 0;
  struct fixed* record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
  if (!record) {
    dropped++;
    return 0;
  }
  record->time = bpf_ktime_get_boot_ns();
  record->pid = bpf_get_current_pid_tgid();
  record->result = result;
  bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
  return 0;
}

struct two_paths {
  __u64 time;
  __u64 pid;
  char first[64], second[64]; /* the benchmark's names are shorter */
};

SEC("tp_btf/sys_exit")
int BPF_PROG(count_calls, struct pt_regs* regs, long result) {
  __u32 zero = 0;
  __u64* count = bpf_map_lookup_elem(&calls, &zero);
  if (count) (*count)++;
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(copy_paths, struct pt_regs* regs, long result) {
  if (!is_rename(regs)) return 0;
#if defined(__TARGET_ARCH_x86)
  int plain = regs->orig_ax == rename_numbers[0];
  __u64 first = plain ? regs->di : regs->si, second = plain ? regs->si : regs->r10;
#else
  __u64 first = regs->regs[1], second = regs->regs[3];
#endif
  struct two_paths* record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
  if (!record) {
    dropped++;
    return 0;
  }
  record->time = bpf_ktime_get_boot_ns();
  record->pid = bpf_get_current_pid_tgid();
  bpf_probe_read_user_str(record->first, sizeof record->first, (const void*)first);
  bpf_probe_read_user_str(record->second, sizeof record->second, (const void*)second);
  bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
  return 0;
}
