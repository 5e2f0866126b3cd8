/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* The sensor's kernel side, tiers fentry and core. Three programs watch processes come, change and go. All
 * else is seen as system calls return: in tier core by one program at the exit of every system call, which
 * one that is not watched leaves after one table look-up; in tier fentry at the return of the kernel
 * functions that carry out the watched calls, and of no others. What is done there is the same. */

#include "bpf/preemption.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/texts.bpf.h"
/* keep the order: these use what is above */
#include "bpf/exclusions.bpf.h"
#include "bpf/filters.bpf.h"
#include "bpf/process.bpf.h"
#include "bpf/sockets.bpf.h"
#include "bpf/statistics.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FMODE_CREATED_ 0x100000 /* include/linux/fs.h */
#define SIGNAL_GROUP_EXIT_ 4    /* include/linux/sched/signal.h */

/* What filters.bpf.h asks for. */
static __always_inline struct as_wanted wanted(void) {
  struct as_wanted knobs = {.options = options, .bpf_commands = bpf_commands};
  return knobs;
}

static __always_inline int is_own(struct task_struct* task) { return (__u32)task->tgid == state.sensor_pid; }

static __always_inline int kind_is_on(__u32 kind) { return (kinds_on >> kind) & 1; }

/* ---- processes ---- */

/* The system call that the current task is in, where the kernel can tell (5.15). */
static __always_inline void add_syscall(struct as_record* record, struct task_struct* task) {
  if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) return;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  int compat = is_compat(task);
  __u64 number = syscall_number(regs);
  if (number >= AS_SYSCALL_LIMIT) return; /* in none, as when a signal ends a process */
  record->syscall = (__s32)number;
  record->abi = abi_of(regs, compat);
  for (int i = 0; i < AS_ARGUMENTS; i++) record->arguments[i] = register_argument(regs, compat, i + 1);
}

static __always_inline int see_exec(struct task_struct* task, int old_pid, const char* filename) {
  struct as_process* process = process_of(task);
  if (process) process->ready = process->judged = 0; /* another executable from now on */
  struct as_scratch* scratch = take_scratch();
  if (!scratch) return 0;
  begin_record(scratch, task, process, AS_KIND_EXEC);
  if (!kind_is_on(AS_KIND_EXEC)) goto out;
  if (is_own(task)) {
    count(AS_COUNT_OWN);
    goto out;
  }
  if (is_excluded(process)) {
    count(AS_COUNT_EXCLUDED);
    goto out;
  }
  struct as_record* record = &scratch->record;
  add_syscall(record, task);
  record->flags |= AS_RECORD_RESULT;
  record->target_tid = old_pid; /* another than the pid when a thread called exec */
  add_kernel_string(scratch, AS_TEXT_PATH, filename);
  add_cwd(AS_TEXT_DIRECTORY);
  __u64 arguments = task->mm->arg_start, size = task->mm->arg_end - arguments;
  if (size > 0xffffffff) size = 0xffffffff;
  add_user_bytes(AS_TEXT_TEXT, arguments, size, argv_limit);
  submit(scratch);
out:
  release_scratch(scratch);
  return 0;
}

/* The child begins as a copy: remembered executable and exclusion go with it. */
static __always_inline void inherit(struct task_struct* child, struct as_process* parent) {
  if (!parent || !parent->ready) return;
  struct as_process* process = bpf_task_storage_get(&processes, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!process || bpf_probe_read_kernel(process, sizeof *process, parent)) return;
  process->inherited = parent->inherited || parent->excluded & AS_EXCLUDED_CHILDREN;
}

static __always_inline int see_fork(struct task_struct* parent, struct task_struct* child) {
  int thread = parent->tgid == child->tgid;
  if (parent->flags & PF_KTHREAD_ || child->flags & PF_KTHREAD_) return 0;
  if (thread && !(options & AS_OPTION_THREADS)) return 0;
  struct as_process* process = process_of(parent);
  struct as_scratch* scratch = take_scratch();
  if (!scratch) return 0;
  begin_record(scratch, parent, process, AS_KIND_FORK);
  if (!thread) inherit(child, process);
  if (!kind_is_on(AS_KIND_FORK)) goto out;
  if (is_own(parent)) {
    count(AS_COUNT_OWN);
    goto out;
  }
  if (is_excluded(process)) {
    count(AS_COUNT_EXCLUDED);
    goto out;
  }
  struct as_record* record = &scratch->record;
  add_syscall(record, parent);
  record->flags |= AS_RECORD_RESULT | (thread ? AS_RECORD_THREAD : 0);
  record->result = child->pid;
  record->target_pid = child->tgid;
  record->target_tid = child->pid;
  record->target_start_ns = child->start_boottime;
  submit(scratch);
out:
  release_scratch(scratch);
  return 0;
}

/* do_exit() (kernel/exit.c) counts signal->live down first and comes to the tracepoint later: of threads that
 * end at the same time on several CPUs each may find that none is alive any more. The one that is first to
 * put the process into the map tells its end. A thread that is the only one left in the group comes last, as
 * the others were through the tracepoint before they left it (__exit_signal()): it puts in nothing, which
 * spares a process that never had another thread all but the look whether one of them told the end. */
static __always_inline int is_first_end(struct task_struct* task) {
  struct as_task_start process = {.pid = task->tgid, .start_ns = task->group_leader->start_boottime};
  __u8 told = 1;
  if (bpf_core_field_exists(task->signal->nr_threads) && task->signal->nr_threads == 1)
    return !bpf_map_lookup_elem(&ended, &process);
  return bpf_map_update_elem(&ended, &process, &told, BPF_NOEXIST) == 0;
}

static __always_inline int see_end(struct task_struct* task) {
  if (task->flags & PF_KTHREAD_ || task->signal->live.counter != 0) return 0;
  if (!kind_is_on(AS_KIND_EXIT) || !is_first_end(task)) return 0;
  if (is_own(task)) {
    count(AS_COUNT_OWN);
    return 0;
  }
  struct as_process* process = process_of(task);
  if (is_excluded(process)) {
    count(AS_COUNT_EXCLUDED);
    return 0;
  }
  struct as_scratch* scratch = take_scratch();
  if (!scratch) return 0;
  begin_record(scratch, task, process, AS_KIND_EXIT);
  if (is_excluded(process)) {
    count(AS_COUNT_EXCLUDED);
    goto out;
  }
  add_syscall(&scratch->record, task);
  /* What wait(2) will tell: the status of the group, or of its leader when all threads left by themselves. */
  int grouped = task->signal->flags & SIGNAL_GROUP_EXIT_;
  scratch->record.result = grouped ? task->signal->group_exit_code : task->group_leader->exit_code;
  submit(scratch);
out:
  release_scratch(scratch);
  return 0;
}

/* ---- system calls ---- */

/* The path an argument gives and, when that is relative or names nothing, where it starts. Where a
 * directory's descriptor is given, a null pointer for the path means the same as an empty one: that object
 * itself. */
static __always_inline void add_path(struct as_scratch* scratch, const volatile struct as_call* call) {
  struct as_record* record = &scratch->record;
  __u32 path = call->path, directory = call->directory;
  int first = 0;
  if (path) {
    __u64 address = argument_of(record, path);
    if (address || !directory) first = put_user_string(scratch, AS_TEXT_PATH, address);
    if (first == '/' && unlikely(scratch->chrooted)) record->texts[AS_TEXT_PATH].flags |= AS_TEXT_CHROOT;
    if (first == '/' || first == AS_UNREADABLE) return;
  } else if (!directory) {
    return;
  }
  int descriptor = directory ? (int)argument_of(record, directory) : AS_AT_FDCWD;
  add_directory(scratch, AS_TEXT_DIRECTORY, descriptor);
}

static __always_inline int same_directory(const struct as_record* record,
                                          const volatile struct as_call* call) {
  if (!(record->texts[AS_TEXT_DIRECTORY].flags & AS_TEXT_PRESENT)) return 0;
  int first = call->directory ? (int)argument_of(record, call->directory) : AS_AT_FDCWD;
  int second = call->second_directory ? (int)argument_of(record, call->second_directory) : AS_AT_FDCWD;
  return first == second;
}

static __always_inline void add_second_path(struct as_scratch* scratch, const volatile struct as_call* call) {
  struct as_record* record = &scratch->record;
  if (!call->second_path) return;
  __u64 address = argument_of(record, call->second_path);
  if (!address && !call->second_directory) return; /* a mount need not have a source */
  int first = address ? put_user_string(scratch, AS_TEXT_SECOND_PATH, address) : 0;
  if (first == '/' && unlikely(scratch->chrooted)) record->texts[AS_TEXT_SECOND_PATH].flags |= AS_TEXT_CHROOT;
  if (first == '/' || first == AS_UNREADABLE) return;
  if (same_directory(record, call)) {
    record->texts[AS_TEXT_SECOND_DIRECTORY].flags = AS_TEXT_PRESENT | AS_TEXT_SAME;
    return;
  }
  int descriptor = call->second_directory ? (int)argument_of(record, call->second_directory) : AS_AT_FDCWD;
  add_directory(scratch, AS_TEXT_SECOND_DIRECTORY, descriptor);
}

static __always_inline void add_text(struct as_scratch* scratch, const volatile struct as_call* call) {
  const struct as_record* record = &scratch->record;
  if (!call->text) return;
  __u64 address = argument_of(record, call->text);
  if (!address) return;
  if (call->text_length)
    add_user_bytes(AS_TEXT_TEXT, address, (__u32)argument_of(record, call->text_length), AS_PATH_SIZE);
  else
    add_user_string(AS_TEXT_TEXT, address);
}

static __always_inline void mark_created(struct as_record* record, struct task_struct* task) {
  if (record->kind != AS_KIND_OPEN || record->result < 0) return;
  __u64 file = file_of(task, (int)record->result);
  if (file && READ(struct file, file, f_mode) & FMODE_CREATED_) {
    record->kind = AS_KIND_CREATE;
    record->flags |= AS_RECORD_CREATED;
  }
}

/* socketcall(2): puts the call it stands for and that call's arguments in place. */
static __always_inline const volatile struct as_call* unfold_socketcall(__u64 arguments[AS_ARGUMENTS]) {
  __u32 words[AS_ARGUMENTS] = {};
  __u64 number = arguments[0];
  if (number >= AS_SOCKETCALL_LIMIT) return 0;
  __u32 index = socketcalls[number];
  if (index == 0) return 0;
  barrier_var(index); /* as in record_call() */
  if (index >= AS_CALL_LIMIT) return 0;
  /* Fewer than six may be there; the kernel copies only what the call needs, and so the page may end. */
  if (bpf_probe_read_user(words, sizeof words, (const void*)arguments[1]) &&
      bpf_probe_read_user(words, 3 * sizeof words[0], (const void*)arguments[1]))
    return 0;
  for (int i = 0; i < AS_ARGUMENTS; i++) arguments[i] = words[i];
  return &calls[index];
}

/* The call in scratch->call, whose result and details the record has. */
static __always_inline int record_seen_call(struct as_scratch* scratch, struct pt_regs* regs,
                                            struct task_struct* task) {
  __u32 index = scratch->call.index;
  barrier_var(index); /* as in record_call() */
  if (index >= AS_CALL_LIMIT) goto out;
  const volatile struct as_call* call = &calls[index];
  if (unlikely(!begin_record_of_call(scratch, task, call->kind))) {
    count(AS_COUNT_EXCLUDED);
    goto out;
  }
  struct as_record* record = &scratch->record;
  int compat = scratch->call.compat;
  record->syscall = (__s32)syscall_number(regs);
  record->abi = abi_of(regs, compat);
  record->flags = AS_RECORD_RESULT;
  for (int i = 0; i < AS_ARGUMENTS; i++) record->arguments[i] = register_argument(regs, compat, i + 1);
  if (unlikely(call->filter == AS_FILTER_SOCKETCALL)) {
    const struct as_wanted knobs = wanted();
    __u64 details[2];
    record->details[0] = record->arguments[0];
    call = unfold_socketcall(record->arguments);
    if (!call || !result_is_wanted(call, record->result, &knobs)) goto out;
    if (!arguments_are_wanted(call, argument_of(record, call->filter_argument),
                              argument_of(record, call->filter_argument + 1), details, &knobs))
      goto out;
    record->kind = call->kind;
  }
  mark_created(record, task);
  __u32 path_at = scratch->used;
  add_path(scratch, call);
  void* tree = 0;
  int excluded = 0;
  if (unlikely(state.excluded_paths)) {
    tree = tree_in_force();
    excluded = name_is_excluded(scratch, AS_TEXT_PATH, path_at);
  }
  __u32 second_at = scratch->used;
  add_second_path(scratch, call);
  if (unlikely(excluded) && second_name_is_excluded(scratch, second_at) && tree == tree_in_force()) {
    count(AS_COUNT_EXCLUDED);
    goto out;
  }
  add_text(scratch, call);
  if (call->socket && !add_socket(scratch, call, compat)) goto out;
  submit(scratch);
out:
  release_scratch(scratch);
  return 0;
}

static __always_inline int record_call(struct pt_regs* regs, long result, __u32 index, int compat,
                                       struct task_struct* task) {
  /* Or the compiler checks a copy from which something was subtracted, which tells the verifiers of kernels
   * 6.1 and 6.12 nothing of the register that is used. */
  barrier_var(index);
  if (index >= AS_CALL_LIMIT) return 0;
  const volatile struct as_call* call = &calls[index];
  __u64 details[2] = {};
  const struct as_wanted knobs = wanted();
  if (!result_is_wanted(call, result, &knobs)) return 0;
  if (call->filter != AS_FILTER_NONE &&
      !arguments_are_wanted(call, register_argument(regs, compat, call->filter_argument),
                            register_argument(regs, compat, call->filter_argument + 1), details, &knobs))
    return 0;
  if (unlikely(is_own(task))) {
    count(AS_COUNT_OWN);
    return 0;
  }
  struct as_scratch* scratch = take_scratch();
  if (!scratch) return 0;
  struct as_seen_call seen = {.index = index, .compat = compat};
  scratch->call = seen;
  scratch->record.result = result;
  scratch->record.details[0] = details[0];
  scratch->record.details[1] = details[1];
  barrier(); /* or the compiler remembers what lies there */
  return record_seen_call(scratch, regs, task);
}

static __always_inline int see_call(struct pt_regs* regs, long result) {
  __u64 number = syscall_number(regs);
  if (number >= AS_SYSCALL_LIMIT) return 0;
  __u32 entry = call_index[number];
  if (!entry) return 0;
  struct task_struct* task = bpf_get_current_task_btf();
  int compat = is_compat(task);
  __u32 index = unlikely(compat) ? AS_COMPAT_CALL(entry) : AS_NATIVE_CALL(entry);
  if (!index) return 0;
  hold_cpu();
  record_call(regs, result, index, compat, task);
  release_cpu();
  return 0;
}

/* ---- where the kernel calls ---- */

#ifdef AS_PERF_EVENTS
/* Programs on perf events: preemption.bpf.h says what for. They get the record that the event would have
 * written, and find out the rest: all but the child of a fork are the current task. */

struct task_struct* bpf_task_from_pid(__s32 pid) __ksym;
void bpf_task_release(struct task_struct* task) __ksym;

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec* event) {
  const char* filename = (const char*)event + (event->__data_loc_filename & 0xffff);
  return see_exec(bpf_get_current_task_btf(), event->old_pid, filename);
}

SEC("tracepoint/sched/sched_process_fork")
int on_fork(struct trace_event_raw_sched_process_fork* event) {
  struct task_struct* child = bpf_task_from_pid(event->child_pid);
  if (!child) return 0; /* never: it has not run yet */
  see_fork(bpf_get_current_task_btf(), child);
  bpf_task_release(child);
  return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int on_exit(void* event) { return see_end(bpf_get_current_task_btf()); }

SEC("tracepoint/raw_syscalls/sys_exit")
int on_sys_exit(struct trace_event_raw_sys_exit* event) {
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  return see_call(regs, event->ret);
}

#else

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct* task, int old_pid, struct linux_binprm* bprm) {
  hold_cpu();
  see_exec(task, old_pid, bprm->filename);
  release_cpu();
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct* parent, struct task_struct* child) {
  hold_cpu();
  see_fork(parent, child);
  release_cpu();
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct* task) {
  hold_cpu();
  see_end(task);
  release_cpu();
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs* regs, long result) { return see_call(regs, result); }

#endif

/* Tier fentry. The kernel wants a program for each function that is hooked: the user side makes as many as it
 * finds functions, of a few instructions, which all go on here by a tail call. Their arguments are the same:
 * the registers that the caller left (arch/x86/include/asm/syscall_wrapper.h and its like). */
SEC("?fexit")
int BPF_PROG(on_call, struct pt_regs* regs, long result) { return see_call(regs, result); }

/* Only programs for functions of one prototype may go on in each other, and to the kernel that is another one
 * when the parameter is called otherwise: those that do not use it call it __unused. */
SEC("?fexit")
int BPF_PROG(on_call_unused, struct pt_regs* regs, long result) { return see_call(regs, result); }
