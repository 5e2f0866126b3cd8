/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* Lists the processes that run, with the start times that the kernel gives them: /proc rounds these down to a
 * clock tick, and a process would have one identity before an event of its own and another after. */

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/record.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct seq_file;

/* include/linux/bpf.h and kernel/bpf/task_iter.c */
struct bpf_iter_meta {
  struct seq_file* seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
} __attribute__((preserve_access_index));

SEC("iter/task")
int list_tasks(struct bpf_iter__task* context) {
  struct task_struct* task = context->task;
  if (!task || task->pid != task->tgid) return 0;
  struct as_task_start start = {.pid = task->tgid, .start_ns = task->start_boottime};
  bpf_seq_write(context->meta->seq, &start, sizeof start);
  return 0;
}
