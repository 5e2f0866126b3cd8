/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Who did it: the part of a record that is about the process, and what is remembered per process. */

#include "bpf/exclusions.bpf.h"
#include "bpf/texts.bpf.h"

#define PF_KTHREAD_ 0x00200000

static __always_inline struct as_process* process_of(struct task_struct* task) {
  struct as_process* process =
      bpf_task_storage_get(&processes, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process) count(AS_COUNT_NO_STORAGE);
  return process;
}

static __always_inline void find_root(struct as_scratch* scratch, struct task_struct* task,
                                      struct as_process* process) {
  scratch->root.mount = (__u64)task->fs->root.mnt;
  scratch->root.dentry = (__u64)task->fs->root.dentry;
  if (!process) {
    scratch->chrooted = is_chrooted(&scratch->root);
    return;
  }
  if (process->root.dentry != scratch->root.dentry || process->root.mount != scratch->root.mount) {
    process->chrooted = is_chrooted(&scratch->root);
    process->root = scratch->root;
  }
  scratch->chrooted = process->chrooted;
}

/* The executable, walked to once per exec and remembered as long as it fits. */
static __always_inline int walk_executable(struct as_scratch* scratch, struct as_process* process) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u32 start = scratch->used;
  struct file* file = task->mm->exe_file;
  if (!file) return 0;
  if (bpf_probe_read_kernel(&scratch->place, sizeof scratch->place, &file->f_path)) return 0;
  __u32 flags = add_components(AS_TEXT_EXECUTABLE, 0, 0);
  __u32 length = scratch->record.texts[AS_TEXT_EXECUTABLE].length;
  barrier_var(length); /* as in record_call() */
  if (!process || length > AS_EXECUTABLE_SIZE || start > AS_DATA_SIZE) return 0;
  if (bpf_probe_read_kernel(process->executable, length, scratch->data + start)) return 0;
  process->executable_length = length;
  process->executable_flags = flags;
  process->ready = 1;
  return 0;
}

/* Whether the executable's events are wanted, asked once per exec and change of the exclusions. As with
 * files, only a name that is fully known is compared, from the top of its mount namespace: a path below a
 * changed root is that of another program. An exclusion that was inherited ends with such a change: what is
 * no longer surely excluded is seen. The executable is the text that ends where the scratch space is used up
 * to. */
static __always_inline void judge(struct as_scratch* scratch, struct as_process* process) {
  __u32 length = process->executable_length, end = scratch->used;
  __u32 node = AS_NODE_NOWHERE;
  if (!(process->executable_flags & AS_NOT_KNOWN) && length <= end) {
    find_starts(end - length, end);
    node = follow_components(end - length, end);
  }
  process->excluded = (node & AS_NODE_PROCESS ? AS_EXCLUDED_PROCESS : 0) |
                      (node & AS_NODE_CHILDREN ? AS_EXCLUDED_CHILDREN : 0);
  if (process->judged) process->inherited = 0;
  process->judged = state.exclusions;
}

static __always_inline int is_excluded(const struct as_process* process) {
  return process && process->judged == state.exclusions && (process->excluded || process->inherited);
}

/* Up to here it is copied word by word, which costs less than the call of a helper. */
#define AS_SHORT_EXECUTABLE 96

static __always_inline void add_executable(struct as_scratch* scratch, struct as_process* process) {
  if (!process || !process->ready) {
    walk_executable(scratch, process);
  } else {
    __u32 length = process->executable_length, used = scratch->used;
    if (length > AS_EXECUTABLE_SIZE || used > AS_DATA_SIZE) return;
    if (length <= AS_SHORT_EXECUTABLE && used == 0) { /* as it is: this text is the first */
      const __u64* from = (const __u64*)process->executable;
      __u64* to = (__u64*)scratch->data;
      for (int i = 0; i < AS_SHORT_EXECUTABLE / 8; i++) to[i] = from[i];
    } else {
      bpf_probe_read_kernel(scratch->data + used, length, process->executable);
    }
    set_text(scratch, AS_TEXT_EXECUTABLE, length, process->executable_flags);
  }
  if (process && process->ready && process->judged != state.exclusions) judge(scratch, process);
}

/* What bpf_get_current_cgroup_id() does, without the call. */
static __always_inline __u64 cgroup_of(struct task_struct* task) {
  if (!bpf_core_field_exists(task->cgroups)) return 0; /* a kernel without control groups */
  return task->cgroups->dfl_cgrp->kn->id;
}

/* Begins a record: nothing is known yet but when and where. What is about a call is the caller's to fill:
 * result, arguments and details. */
static __always_inline void clear_record(struct as_record* record, __u32 kind) {
  const __u32 behind_call = offsetof(struct as_record, target_start_ns);
  __builtin_memset((char*)record + behind_call, 0, sizeof *record - behind_call);
  record->kind = kind;
  record->abi = AS_ABI_UNKNOWN;
  record->flags = record->reserved = 0;
  record->boot_ns = bpf_ktime_get_boot_ns();
  record->cpu = bpf_get_smp_processor_id();
  record->syscall = -1;
}

/* The members that are about the current task. */
static __always_inline void fill_head(struct as_record* record, struct task_struct* task) {
  const struct cred* cred = task->cred;

  record->pid = task->tgid;
  record->tid = task->pid;
  record->start_ns = task->group_leader->start_boottime;
  record->parent_pid = task->real_parent->tgid;
  record->parent_start_ns = task->real_parent->group_leader->start_boottime;
  record->mount_namespace = task->nsproxy->mnt_ns->ns.inum;
  record->uid = cred->uid.val;
  record->gid = cred->gid.val;
  record->euid = cred->euid.val;
  record->egid = cred->egid.val;
  record->suid = cred->suid.val;
  record->sgid = cred->sgid.val;
  record->fsuid = cred->fsuid.val;
  record->fsgid = cred->fsgid.val;
  if (bpf_core_field_exists(task->loginuid)) { /* kernels without audit have none */
    record->auid = task->loginuid.val;
    record->session = task->sessionid;
  } else {
    record->auid = record->session = (__u32)-1;
  }
  record->cgroup_id = cgroup_of(task);
  /* Two loads instead of a helper call; the size is the kernel's TASK_COMM_LEN. */
  const __u64* comm = (const __u64*)task->comm;
  ((__u64*)record->comm)[0] = comm[0];
  ((__u64*)record->comm)[1] = comm[1];
}

static __always_inline void remember(struct as_scratch* scratch, struct task_struct* task,
                                     const struct as_process* process) {
  struct as_known_process* known = &scratch->known;
  if (!process || !process->ready) {
    known->pid = 0;
    return;
  }
  known->start_ns = scratch->record.start_ns;
  known->exec_id = task->self_exec_id;
  known->pid = scratch->record.pid;
  known->judged = process->judged;
  known->excluded = is_excluded(process);
  known->executable = scratch->record.texts[AS_TEXT_EXECUTABLE];
}

static __always_inline int is_known(const struct as_scratch* scratch, struct task_struct* task) {
  const struct as_known_process* known = &scratch->known;
  return known->pid == (__u32)task->tgid && known->exec_id == task->self_exec_id &&
         known->start_ns == task->group_leader->start_boottime && known->judged == state.exclusions;
}

/* The root and the executable, as they are remembered of the process. */
static __always_inline void add_process(struct as_scratch* scratch, struct task_struct* task,
                                        struct as_process* process) {
  find_root(scratch, task, process);
  add_executable(scratch, process);
  remember(scratch, task, process);
}

/* The same, of the process that is known. */
static __always_inline void add_known_process(struct as_scratch* scratch, struct task_struct* task) {
  __u64 mount = (__u64)task->fs->root.mnt, dentry = (__u64)task->fs->root.dentry;
  if (unlikely(mount != scratch->root.mount || dentry != scratch->root.dentry)) find_root(scratch, task, 0);
  scratch->record.texts[AS_TEXT_EXECUTABLE] = scratch->known.executable;
  scratch->used = scratch->known.executable.length;
}

/* Clears the record and fills everything that is about the current process. */
static __always_inline void begin_record(struct as_scratch* scratch, struct task_struct* task,
                                         struct as_process* process, __u32 kind) {
  struct as_record* record = &scratch->record;
  const __u32 call = offsetof(struct as_record, result);
  __builtin_memset((char*)record + call, 0, offsetof(struct as_record, target_start_ns) - call);
  clear_record(record, kind);
  fill_head(record, task);
  add_process(scratch, task, process);
}

/* The same for the call in scratch->call. False when the process's events are not wanted. */
static __always_inline int begin_record_of_call(struct as_scratch* scratch, struct task_struct* task,
                                                __u32 kind) {
  int known = is_known(scratch, task);
  struct as_process* process = 0;
  if (likely(known)) {
    if (unlikely(scratch->known.excluded)) return 0;
  } else {
    process = process_of(task);
    if (is_excluded(process)) return 0;
  }
  clear_record(&scratch->record, kind);
  fill_head(&scratch->record, task);
  if (likely(known)) {
    add_known_process(scratch, task);
    return 1;
  }
  add_process(scratch, task, process);
  return !is_excluded(process); /* found only now, with its first event */
}
