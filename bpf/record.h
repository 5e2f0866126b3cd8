/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What the kernel side writes and the user side reads: ring-buffer records, the table that says what to do
 * with a system call, counters. Plain C, included by both. Numbers are in the host's byte order: a record
 * never leaves the machine. */

#include <linux/types.h>

#include "bpf/kinds.h"

/* ---- records ---- */

#define AS_ARGUMENTS 6
#define AS_COMM_SIZE 16

enum as_abi { AS_ABI_UNKNOWN = 0, AS_ABI_X86_64, AS_ABI_X32, AS_ABI_I386, AS_ABI_ARM64, AS_ABI_ARM };

/* The texts that follow a record's fixed part, in this order, which is also the order in which they are
 * added; each as long as its as_text says. */
enum as_text_slot {
  AS_TEXT_EXECUTABLE = 0, /* components */
  AS_TEXT_PATH,
  AS_TEXT_DIRECTORY, /* components: where `path` starts when it is relative; exec: the cwd */
  AS_TEXT_SECOND_PATH,
  AS_TEXT_SECOND_DIRECTORY, /* components */
  AS_TEXT_TEXT,             /* exec: argv, each argument ended by NUL; else what as_call.text names */
  AS_TEXT_LOCAL,            /* struct sockaddr_*, as many bytes as there are */
  AS_TEXT_REMOTE,           /* the same */
  AS_TEXTS                  /* a power of two */
};

enum as_text_flag {
  AS_TEXT_PRESENT = 1 << 0,    /* there is such a text, be it empty or unreadable */
  AS_TEXT_TRUNCATED = 1 << 1,  /* a limit was reached; of components, those nearest the root are missing */
  AS_TEXT_UNREADABLE = 1 << 2, /* the caller's memory was not there */
  AS_TEXT_UNRESOLVED = 1 << 3, /* components: the walk could not start, or lost its way to the root */
  AS_TEXT_DELETED = 1 << 4,    /* components: the first one has been removed */
  AS_TEXT_CHROOT = 1 << 5,     /* starts at the process's own root, which is not that of its namespace */
  AS_TEXT_SAME = 1 << 6,       /* second directory: equals the first, no bytes follow */
};

/* Components are the names on the way from a file up to the root, the file's own first, each ended by NUL:
 * "b\0a\0" is /a/b, nothing at all is the root. The kernel meets them in this order. */
struct as_text {
  __u16 length; /* bytes, without a final NUL unless it is components or argv */
  __u8 flags;
  __u8 reserved;
};

enum as_record_flag {
  AS_RECORD_RESULT = 1 << 0,  /* `result` is set */
  AS_RECORD_THREAD = 1 << 1,  /* fork: the child shares the thread group */
  AS_RECORD_CREATED = 1 << 2, /* open: the file was made by this call */
  AS_RECORD_SOCKET = 1 << 3,  /* `socket_*` are set */
};

struct as_record {
  __u32 size; /* of the whole record */
  __u8 kind;
  __u8 abi;
  __u8 flags;
  __u8 reserved;
  __u64 boot_ns;
  __u32 cpu;
  __s32 syscall; /* -1 when unknown */

  __u32 pid, tid, parent_pid;
  __u32 mount_namespace;
  __u64 start_ns, parent_start_ns;
  __u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
  __u32 auid, session;
  __u64 cgroup_id;
  char comm[AS_COMM_SIZE];

  __s64 result; /* exit: the wait status */
  __u64 arguments[AS_ARGUMENTS];
  __u64 details[2]; /* what a filter read: flags and mode of open_how, modes of timex, the call behind a
                       socketcall */

  __u64 target_start_ns; /* fork: the child */
  __u32 target_pid, target_tid;
  __u16 socket_family, socket_type, socket_protocol;
  __u16 reserved2;

  struct as_text texts[AS_TEXTS];
};

/* Bytes of one path or text at most, final NUL included: PATH_MAX of the kernel. */
#define AS_PATH_SIZE 4096
/* A text may begin as long as those before it are no longer than this; so the last one may end AS_TEXT_SIZE
 * later. The scratch space, a per-CPU map value of at most 32 KiB, holds all of it. */
#define AS_DATA_SIZE 24576
#define AS_TEXT_SIZE 4104
#define AS_RECORD_LIMIT (sizeof(struct as_record) + AS_DATA_SIZE + AS_TEXT_SIZE)

/* ---- what to do with a system call ---- */

/* Numbers at or above are not watched. 548 and more are unused on x86-64; arm64 and i386 end near 470. */
#define AS_SYSCALL_LIMIT 1024
#define AS_CALL_LIMIT 192

/* An argument that has to be looked at before the call is worth a record. */
enum as_filter {
  AS_FILTER_NONE = 0,
  AS_FILTER_OPEN_FLAGS,   /* argument: open(2) flags */
  AS_FILTER_OPEN_HOW,     /* argument: struct open_how * */
  AS_FILTER_CLONE_FLAG,   /* argument: flags, of which bit 0 must be set (OPEN_TREE_CLONE) */
  AS_FILTER_RAW_SOCKET,   /* arguments: family and, next, type of socket(2) */
  AS_FILTER_PTRACE,       /* argument: request */
  AS_FILTER_BPF,          /* argument: command */
  AS_FILTER_TIME_MODES,   /* argument: struct timex *, whose modes say whether it writes */
  AS_FILTER_SEND_ADDRESS, /* argument: the address, NULL on connected sockets */
  AS_FILTER_FAILED,       /* only failures: success is told elsewhere */
  AS_FILTER_SOCKETCALL,   /* i386's multiplexer: the first argument says which call, the second points to the
                             rest */
};

/* Where a socket call has its address. */
enum as_address {
  AS_ADDRESS_NONE = 0,
  AS_ADDRESS_REMOTE,  /* in the caller's memory: the peer */
  AS_ADDRESS_LOCAL,   /* in the caller's memory: this end */
  AS_ADDRESS_MESSAGE, /* in a struct msghdr: the peer */
  AS_ADDRESS_KERNEL,  /* both ends as the kernel knows them */
};

/* Number of the "argument" that is the result: a descriptor. */
#define AS_ARGUMENT_RESULT 7

/* One system call. Its arguments are numbered from 1; 0 means that there is none of the sort. A directory
 * without a path is a descriptor that names the object itself. */
struct as_call {
  __u8 kind;   /* enum as_kind */
  __u8 filter; /* enum as_filter */
  __u8 filter_argument;
  __u8 directory, path;
  __u8 second_directory, second_path;
  __u8 text;
  __u8 text_length;      /* holds the length of `text`, which then has no NUL */
  __u8 socket;           /* the descriptor of a socket */
  __u8 address;          /* enum as_address */
  __u8 address_argument; /* the next argument is its length */
  __u8 reserved[4];
};

/* What the index by system-call number holds: a number of a call, 0 for not watched, of the native ABI in the
 * low byte and of the 32-bit one in the high byte. */
#define AS_NATIVE_CALL(index) ((index)&0xff)
#define AS_COMPAT_CALL(index) ((index) >> 8)

#define AS_SOCKETCALL_LIMIT 32

/* Bits of the `options` knob. */
enum as_option {
  AS_OPTION_READS = 1 << 0,         /* opens that only read */
  AS_OPTION_THREADS = 1 << 1,       /* new threads */
  AS_OPTION_FAILED_ACCESS = 1 << 2, /* calls that failed with EACCES or EPERM */
  AS_OPTION_FAILED_OTHER = 1 << 3,  /* calls that failed otherwise */
  AS_OPTION_ALL_SOCKETS = 1 << 4,   /* socket(2) of every kind */
  AS_OPTION_ALL_PTRACE = 1 << 5,    /* ptrace requests that only look, too */
};

/* ---- counters ---- */

/* Per CPU. Those up to AS_COUNT_DROPS count lost records. */
enum as_counter {
  AS_COUNT_RING_FULL = 0,
  AS_COUNT_BUSY, /* the CPU's scratch space was in use */
  AS_COUNT_DROPS,

  AS_COUNT_SUBMITTED = AS_COUNT_DROPS,
  AS_COUNT_EXCLUDED,    /* events kept back by an exclusion */
  AS_COUNT_OWN,         /* the sensor's own */
  AS_COUNT_UNREADABLE,  /* texts that could not be read from the caller's memory */
  AS_COUNT_NO_STORAGE,  /* processes whose executable could not be remembered */
  AS_COUNT_NOT_COUNTED, /* names of events, while statistics were taken: too long, or too many */
  AS_COUNTERS
};

/* Of one CPU, in cache lines that it has to itself. */
struct as_cpu_counts {
  __u64 counts[AS_COUNTERS];
} __attribute__((aligned(64)));

/* ---- state ---- */

/* Changes with every change of struct as_record, of struct as_state, of the counters or of what they mean. */
#define AS_RECORD_VERSION 3

/* Written by the user side while the programs run, and kept with them when they outlive it. */
struct as_state {
  __u32 sensor_pid; /* whose calls are not reported */
  __u32 record_version;
  __u64 fingerprint;    /* of the programs and their knobs */
  __u32 exclusions;     /* goes up with every change of the exclusions; 0: there never were any */
  __u32 excluded_paths; /* not 0: files or folders are among them */
  __u32 counting;       /* not 0: events are counted by name */
  __u32 reserved;
  __u64 reported[AS_COUNT_DROPS]; /* losses that readers have been told of, by cause */
  __u64 reported_missed;          /* the same, of programs that the kernel did not run */
  __u64 reported_at; /* when the counters were last looked at, or loaded; nanoseconds since boot */
};

/* ---- running processes, as tasks.bpf.c lists them ---- */

struct as_task_start {
  __u32 pid;
  __u32 reserved;
  __u64 start_ns; /* CLOCK_BOOTTIME */
};

/* ---- statistics ---- */

#define AS_NAME_TEXTS 4 /* from AS_TEXT_PATH on */
#define AS_NAME_COUNTS 32768

/* What is counted under one name: events of a kind by an executable, or on a file. The bytes are those of the
 * record's texts, the executable's or the four that make its two names, the rest zero. What is longer is not
 * counted by name. */
struct as_name_key {
  __u8 kind;
  __u8 initiator; /* 1: by an executable, the first text; 0: by the names */
  __u8 flags[AS_NAME_TEXTS];
  __u16 lengths[AS_NAME_TEXTS];
  char bytes[242];
};

struct as_name_count {
  __u64 events;
  __u64 ns; /* of an executable: time spent on its events in these programs */
};

/* ---- exclusions ---- */

/* The paths whose events are not wanted, as a tree of names in one hash map: the key is a node and a name
 * below it, zeros behind; the value is the node that this leads to. Only what is excluded, and what is on the
 * way there, is in it, so that a path that is not is left after a look-up or two, however many entries there
 * are.
 *
 * A name of AS_NODE_NAME bytes or more is cut into pieces of that size, each a node; the last piece is
 * shorter, be it empty. */
#define AS_NODE_NAME 60

struct as_node_key {
  __u32 parent; /* number of a node */
  char name[AS_NODE_NAME];
};

/* A node: its number, and what is excluded there. */
#define AS_NODE_NUMBER 0x0fffffffU
#define AS_NODE_FILE (1U << 28)     /* file events on exactly this name */
#define AS_NODE_FOLDER (1U << 29)   /* and on everything below */
#define AS_NODE_PROCESS (1U << 30)  /* everything that a process with this executable does */
#define AS_NODE_CHILDREN (1U << 31) /* and what those that it starts do, whatever they execute */

#define AS_NODE_ROOT 0U
#define AS_NODE_NOWHERE AS_NODE_NUMBER /* not in the tree; no node has this number */

/* Names of a directory that are followed; what is deeper is left to the user side. */
#define AS_NODE_DEPTH 64
