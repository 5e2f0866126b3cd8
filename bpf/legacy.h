/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What tier legacy shares between its kernel side and its user side beyond record.h. Plain C. */

#include <linux/types.h>

#include "bpf/record.h"

/* Kinds of records that are notes to the user side, never events: it keeps an account of the processes. */
enum as_note {
  AS_NOTE_EXEC = 61,     /* execve was entered: its argument vector, while the old memory is there */
  AS_NOTE_DIRECTORY = 62 /* chdir, fchdir or chroot worked: `path` or the descriptor in the first argument */
};

/* In as_call.reserved[0]. */
enum as_legacy_call { AS_LEGACY_EXIT_GROUP = 1, AS_LEGACY_CLONE3 = 2 };

/* Arguments of an exec that are read: without loops each costs instructions. */
#define AS_LEGACY_ARGUMENTS 24

/* Calls that may be under way at a time, and processes whose end is under way. */
#define AS_LEGACY_CALLS 32768
#define AS_LEGACY_ENDS 16384

/* The task is copied to here while its layout is found out, and in how many rounds. */
#define AS_TASK_CHUNK 4096
#define AS_TASK_CHUNKS 4
#define AS_TASK_ROUNDS 8

/* Where a member of a tracepoint's context is (its `format` in tracefs), and what else the user side sets. */
struct as_legacy_knobs {
  __u32 sensor_pid; /* whose calls are not reported */
  __u32 options;    /* enum as_option */
  __u64 bpf_commands;
  __u32 argv_limit;
  __u32 compat_offset; /* of the word in struct task_struct that tells a 32-bit system call */
  __u32 compat_mask;   /* its bit; 0: not to be asked */
  __u32 exec_filename, exec_old_pid;
  __u32 fork_child_pid;
  __u32 deliver_signal, deliver_handler;
};

/* While its layout is found out: which process, and what its calls are. */
struct as_layout_knobs {
  __u32 pid;
  __u32 native_number, compat_number;
};
