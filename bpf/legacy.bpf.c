/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */

/* The sensor's kernel side, tier legacy: for kernels without type information, from 4.15 on. Plain
 * tracepoints; no global data (5.2), no loops (5.3), no functions (4.16), 4096 instructions a program (until
 * 5.2), and only helpers of 4.15. tests/system/legacy_object_test.cpp holds the object to that.
 *
 * Nothing of the kernel's own structures is read, since without type information nobody says where their
 * members are: who a process is and where its paths start is for the user side to find out
 * (sensor/legacy_processes.h), which is told of everything that changes it.
 *
 * raw_syscalls:sys_exit does not tell the arguments, so these are kept from sys_enter on. Programs of
 * tracepoints run with preemption off, one at a time on each CPU (trace_call_bpf() in
 * kernel/trace/bpf_trace.c). */

#include "bpf/legacy_maps.bpf.h"
#include "bpf/legacy_texts.bpf.h"
/* keep the order: this uses what is above */
#include "bpf/filters.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* include/trace/events/syscalls.h; the user side compares with what tracefs says */
struct sys_enter_context {
  __u64 common;
  long id;
  unsigned long args[AS_ARGUMENTS];
};

struct sys_exit_context {
  __u64 common;
  long id;
  long ret;
};

/* A number in a context whose place the user side found out. */
static __always_inline __u32 context_word(void* context, __u32 offset) {
  __u32 word = 0;
  bpf_probe_read(&word, sizeof word, context + offset);
  return word;
}

/* ---- which call */

#if defined(__TARGET_ARCH_x86)
#define NUMBER_MASK_ (~0x40000000L) /* __X32_SYSCALL_BIT */
static __always_inline __u32 abi_of(long id, int compat) {
  if (compat) return AS_ABI_I386;
  return id & ~NUMBER_MASK_ ? AS_ABI_X32 : AS_ABI_X86_64;
}
#else
#define NUMBER_MASK_ (~0L)
static __always_inline __u32 abi_of(long id, int compat) { return compat ? AS_ABI_ARM : AS_ABI_ARM64; }
#endif

/* Whether the current task is in a 32-bit system call. */
static __always_inline int is_compat(const struct as_legacy_knobs* knobs) {
  if (!knobs->compat_mask) return 0;
  __u32 word = 0;
  bpf_probe_read(&word, sizeof word, (void*)(bpf_get_current_task() + knobs->compat_offset));
  return (word & knobs->compat_mask) != 0;
}

/* What the table says of a number: 0 is not watched, see AS_NATIVE_CALL(). */
static __always_inline __u32 entry_of(long id) {
  __u32 number = (__u32)(id & NUMBER_MASK_);
  __u32* entry = bpf_map_lookup_elem(&call_index, &number);
  return entry ? *entry : 0;
}

static __always_inline __u64 argument_at(const struct as_pending* pending, __u32 number) {
  if (number == 1) return pending->arguments[0];
  if (number == 2) return pending->arguments[1];
  if (number == 3) return pending->arguments[2];
  if (number == 4) return pending->arguments[3];
  if (number == 5) return pending->arguments[4];
  if (number == 6) return pending->arguments[5];
  return 0;
}

/* ---- the begin of a call */

/* How a process will have ended, in wait(2)'s form: by the first exit_group(), else by its leader's exit(),
 * unless a signal (see on_signal) comes first. */
static __always_inline void note_end(__u32 status, __u32 final) {
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  struct as_end* known = bpf_map_lookup_elem(&ends, &pid);
  if (known && known->final) return;
  struct as_end end = {.status = status, .final = final};
  bpf_map_update_elem(&ends, &pid, &end, BPF_ANY);
}

static __always_inline void begin_exit(const struct as_call* call, __u64 status) {
  __u64 id = bpf_get_current_pid_tgid();
  __u32 group = call->reserved[0] == AS_LEGACY_EXIT_GROUP;
  if (group || id >> 32 == (__u32)id) note_end((status & 0xff) << 8, group);
}

static __always_inline void begin_exec(void* context, const struct as_call* call,
                                       const struct as_pending* pending,
                                       const struct as_legacy_knobs* knobs) {
  struct as_scratch* scratch = begin_record(AS_NOTE_EXEC);
  if (!scratch) return;
  add_argv(scratch, argument_at(pending, call->path + 1),
           pending->abi == AS_ABI_I386 || pending->abi == AS_ABI_ARM, knobs->argv_limit);
  submit(context, scratch);
}

SEC("tracepoint/raw_syscalls/sys_enter")
int on_sys_enter(struct sys_enter_context* context) {
  long id = context->id;
  __u32 entry = entry_of(id);
  if (!entry) return 0;
  const struct as_legacy_knobs* knobs = knobs_in_use();
  if (!knobs) return 0;
  int compat = is_compat(knobs);
  __u32 index = compat ? AS_COMPAT_CALL(entry) : AS_NATIVE_CALL(entry);
  if (!index) return 0;
  const struct as_call* call = bpf_map_lookup_elem(&calls, &index);
  if (!call) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  if (thread >> 32 == knobs->sensor_pid && call->kind != AS_KIND_FORK) { /* its children are processes, too */
    count(AS_COUNT_OWN);
    return 0;
  }
  struct as_pending pending = {.number = (__u32)(id & NUMBER_MASK_), .index = index};
  pending.abi = abi_of(id, compat);
#pragma unroll
  for (int i = 0; i < AS_ARGUMENTS; i++)
    pending.arguments[i] = compat ? (__u32)context->args[i] : context->args[i];
  if (call->kind == AS_KIND_EXIT) {
    begin_exit(call, pending.arguments[0]);
    return 0;
  }
  const struct as_wanted wanted = {.options = knobs->options, .bpf_commands = knobs->bpf_commands};
  if (!arguments_are_wanted(call, argument_at(&pending, call->filter_argument),
                            argument_at(&pending, call->filter_argument + 1), pending.details, &wanted))
    return 0;
  if (call->reserved[0] == AS_LEGACY_CLONE3)
    read_user(pending.details, sizeof pending.details[0], pending.arguments[0]);
  if (bpf_map_update_elem(&pendings, &thread, &pending, BPF_ANY)) count(AS_COUNT_BUSY);
  if (call->kind == AS_KIND_EXEC) begin_exec(context, call, &pending, knobs);
  return 0;
}

/* ---- the end of a call */

/* socketcall(2) of i386: puts the call it stands for and that call's arguments in place. */
static __always_inline const struct as_call* unfold_socketcall(struct as_pending* pending) {
  __u32 words[AS_ARGUMENTS] = {};
  __u32 number = (__u32)pending->arguments[0];
  __u32* index = bpf_map_lookup_elem(&socketcalls, &number);
  if (!index || !*index) return 0;
  __u32 key = *index;
  /* Fewer than six may be there; the kernel copies only what the call needs, and so the page may end. */
  if (read_user(words, sizeof words, pending->arguments[1]) &&
      read_user(words, 3 * sizeof words[0], pending->arguments[1]))
    return 0;
#pragma unroll
  for (int i = 0; i < AS_ARGUMENTS; i++) pending->arguments[i] = words[i];
  return bpf_map_lookup_elem(&calls, &key);
}

static __always_inline void add_texts(struct as_scratch* scratch, const struct as_call* call,
                                      const struct as_pending* pending) {
  __u64 address = argument_at(pending, call->path);
  if (call->path && (address || !call->directory)) add_user_string(scratch, AS_TEXT_PATH, address);
  address = argument_at(pending, call->second_path);
  if (call->second_path && (address || call->second_directory))
    add_user_string(scratch, AS_TEXT_SECOND_PATH, address);
  address = argument_at(pending, call->text);
  if (!call->text || !address) return;
  if (call->text_length)
    add_user_bytes(scratch, AS_TEXT_TEXT, address, (__u32)argument_at(pending, call->text_length));
  else
    add_user_string(scratch, AS_TEXT_TEXT, address);
}

/* The peer or the own end, where the caller's memory has it. False when the call is not worth a record. */
static __always_inline int add_socket(struct as_scratch* scratch, const struct as_call* call,
                                      const struct as_pending* pending, int compat) {
  __u64 name = 0;
  __u32 length = 0;
  if (call->address == AS_ADDRESS_REMOTE || call->address == AS_ADDRESS_LOCAL) {
    name = argument_at(pending, call->address_argument);
    length = (__u32)argument_at(pending, call->address_argument + 1);
  } else if (call->address == AS_ADDRESS_MESSAGE) {
    /* Both ABIs begin struct msghdr with these two. */
    __u64 words[2] = {};
    if (read_user(words, compat ? 8 : 16, argument_at(pending, call->address_argument))) return 0;
    name = compat ? (__u32)words[0] : words[0];
    length = compat ? (__u32)(words[0] >> 32) : (__u32)words[1];
    if (!name) return 0;
  } else if (call->address == AS_ADDRESS_KERNEL && call->socket == AS_ARGUMENT_RESULT) {
    /* accept(2): the kernel has written the peer's address to where the caller wanted it, if it did. */
    name = pending->arguments[1];
    if (name && read_user(&length, sizeof length, pending->arguments[2])) name = 0;
  }
  if (!name) return 1;
  __u16 family = 0;
  if (!read_user(&family, sizeof family, name)) {
    scratch->record.socket_family = family;
    scratch->record.flags |= AS_RECORD_SOCKET;
  }
  if (call->kind == AS_KIND_SEND && family != AF_INET_ && family != AF_INET6_) return 0;
  add_user_address(scratch, call->address == AS_ADDRESS_LOCAL ? AS_TEXT_LOCAL : AS_TEXT_REMOTE, name, length);
  return 1;
}

static __always_inline void fill_call(struct as_record* record, const struct as_pending* pending) {
  record->syscall = (__s32)pending->number;
  record->abi = pending->abi;
#pragma unroll
  for (int i = 0; i < AS_ARGUMENTS; i++) record->arguments[i] = pending->arguments[i];
  record->details[0] = pending->details[0];
  record->details[1] = pending->details[1];
}

SEC("tracepoint/raw_syscalls/sys_exit")
int on_sys_exit(struct sys_exit_context* context) {
  if (!entry_of(context->id)) return 0;
  __u64 thread = bpf_get_current_pid_tgid();
  struct as_pending* kept = bpf_map_lookup_elem(&pendings, &thread);
  if (!kept) return 0;
  struct as_pending pending = *kept;
  bpf_map_delete_elem(&pendings, &thread);
  if (pending.number != (__u32)(context->id & NUMBER_MASK_)) return 0;
  const struct as_legacy_knobs* knobs = knobs_in_use();
  const struct as_call* call = bpf_map_lookup_elem(&calls, &pending.index);
  if (!knobs || !call) return 0;
  const struct as_wanted wanted = {.options = knobs->options, .bpf_commands = knobs->bpf_commands};
  long result = context->ret;
  if (!result_is_wanted(call, result, &wanted)) return 0;
  struct as_scratch* scratch = begin_record(call->kind);
  if (!scratch) return 0;
  struct as_record* record = &scratch->record;
  int compat = pending.abi == AS_ABI_I386 || pending.abi == AS_ABI_ARM;
  fill_call(record, &pending);
  record->result = result;
  record->flags = AS_RECORD_RESULT;
  if (call->filter == AS_FILTER_SOCKETCALL) {
    record->details[0] = pending.arguments[0];
    call = unfold_socketcall(&pending);
    if (!call || !result_is_wanted(call, result, &wanted)) return 0;
    if (!arguments_are_wanted(call, argument_at(&pending, call->filter_argument),
                              argument_at(&pending, call->filter_argument + 1), pending.details, &wanted))
      return 0;
    record->kind = call->kind;
#pragma unroll
    for (int i = 0; i < AS_ARGUMENTS; i++) record->arguments[i] = pending.arguments[i];
  }
  add_texts(scratch, call, &pending);
  if (call->socket && !add_socket(scratch, call, &pending, compat)) return 0;
  submit(context, scratch);
  return 0;
}

/* ---- processes */

/* include/trace/events/sched.h. `filename` is a __data_loc: its place in the low half. */
SEC("tracepoint/sched/sched_process_exec")
int on_exec(void* context) {
  const struct as_legacy_knobs* knobs = knobs_in_use();
  if (!knobs) return 0;
  struct as_scratch* scratch = begin_record(AS_KIND_EXEC);
  if (!scratch) return 0;
  struct as_record* record = &scratch->record;
  /* A thread other than the leader takes the leader's id: its call was kept under its own. */
  __u32 old_id = context_word(context, knobs->exec_old_pid);
  /* The process has not ended: exec killed its other threads (de_thread() in fs/exec.c), which on_signal took
   * for its end. They are all through their exit by now. */
  __u32 pid = record->pid;
  bpf_map_delete_elem(&ends, &pid);
  __u64 thread = (__u64)record->pid << 32 | old_id;
  struct as_pending* pending = bpf_map_lookup_elem(&pendings, &thread);
  if (pending) {
    fill_call(record, pending);
    bpf_map_delete_elem(&pendings, &thread);
  }
  record->flags = AS_RECORD_RESULT;
  record->target_tid = old_id;
  __u32 at = context_word(context, knobs->exec_filename) & 0xffff;
  add_user_string(scratch, AS_TEXT_PATH, (__u64)(context + at));
  submit(context, scratch);
  return 0;
}

SEC("tracepoint/sched/sched_process_fork")
int on_fork(void* context) {
  const struct as_legacy_knobs* knobs = knobs_in_use();
  __u64 thread = bpf_get_current_pid_tgid();
  if (!knobs) return 0;
  /* Kernel threads, and what the kernel makes for others, are born outside of such calls. */
  struct as_pending* pending = bpf_map_lookup_elem(&pendings, &thread);
  if (!pending) return 0;
  struct as_scratch* scratch = begin_record(AS_KIND_FORK);
  if (!scratch) return 0;
  struct as_record* record = &scratch->record;
  fill_call(record, pending);
  __u32 child = context_word(context, knobs->fork_child_pid);
  bpf_map_delete_elem(&ends, &child); /* of one that had this number before */
  record->flags = AS_RECORD_RESULT;
  record->result = child;
  record->target_tid = child; /* whether a process or a thread follows from the call's flags */
  submit(context, scratch);
  return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int on_exit(void* context) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u32 pid = thread >> 32;
  bpf_map_delete_elem(&pendings, &thread); /* the call that it died in */
  const struct as_legacy_knobs* knobs = knobs_in_use();
  struct as_scratch* scratch = begin_record(AS_KIND_EXIT);
  if (!knobs || !scratch || pid == knobs->sensor_pid) return 0;
  struct as_end* end = bpf_map_lookup_elem(&ends, &pid);
  if (end) {
    scratch->record.result = end->status;
    scratch->record.flags = AS_RECORD_RESULT;
  }
  submit(context, scratch);
  return 0;
}

/* Signals whose default is not to end the process (signal(7)): CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG,
 * WINCH. */
#define HARMLESS_SIGNALS_ \
  (1ULL << 17 | 1ULL << 18 | 1ULL << 19 | 1ULL << 20 | 1ULL << 21 | 1ULL << 22 | 1ULL << 23 | 1ULL << 28)

SEC("tracepoint/signal/signal_deliver")
int on_signal(void* context) {
  const struct as_legacy_knobs* knobs = knobs_in_use();
  if (!knobs) return 0;
  __u64 handler = 0;
  __u32 number = context_word(context, knobs->deliver_signal);
  bpf_probe_read(&handler, sizeof handler, context + knobs->deliver_handler);
  if (handler || number >= 64) return 0; /* not SIG_DFL */
  if (!((HARMLESS_SIGNALS_ >> number) & 1)) note_end(number, 1);
  return 0;
}
