/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Whether a system call is worth a record, by its result and its arguments. For every tier: who includes this
 * has defined read_user(target, size, address), 0 when all was read, and made the knobs a struct as_wanted.
 */

#include "bpf/record.h"

#define EPERM_ 1
#define EACCES_ 13
#define EINPROGRESS_ 115
#define MAX_ERRNO_ 4095
#define O_ACCMODE_ 03
#define O_CREAT_ 0100
#define O_TRUNC_ 01000
#define O_PATH_ 010000000
#define AF_PACKET_ 17
#define SOCK_RAW_ 3
#define SOCK_PACKET_ 10
#define SOCK_TYPE_MASK_ 0xf

struct as_wanted {
  __u32 options;      /* enum as_option */
  __u64 bpf_commands; /* bit set of the bpf(2) commands worth a record */
};

/* A socketcall(2) is asked twice: as what it is, and, once it is unfolded, as the call that it stands for.
 * Only then is it known whether a connection is on its way. */
static __always_inline int result_is_wanted(const volatile struct as_call* call, long result,
                                            const struct as_wanted* wanted) {
  if (result >= 0 || result < -MAX_ERRNO_) return call->filter != AS_FILTER_FAILED;
  if (result == -EINPROGRESS_ && (call->kind == AS_KIND_CONNECT || call->filter == AS_FILTER_SOCKETCALL))
    return 1;
  int access = result == -EACCES_ || result == -EPERM_;
  return (wanted->options & (access ? AS_OPTION_FAILED_ACCESS : AS_OPTION_FAILED_OTHER)) != 0;
}

static __always_inline int open_is_wanted(__u64 flags, const struct as_wanted* wanted) {
  if (wanted->options & AS_OPTION_READS) return 1;
  if (flags & O_PATH_) return 0;
  return (flags & (O_ACCMODE_ | O_CREAT_ | O_TRUNC_)) != 0;
}

/* Requests that change another process or take hold of it: TRACEME, POKE*, SETREGS, SETFPREGS, ATTACH,
 * SETREGSET, SEIZE. */
static __always_inline int ptrace_is_wanted(__u64 request, const struct as_wanted* wanted) {
  if (wanted->options & AS_OPTION_ALL_PTRACE) return 1;
  if (request < 64) return (0x1a071ULL >> request) & 1;
  return request == 0x4205 || request == 0x4206;
}

/* Whether the arguments make the call worth a record: `value` is the one the filter asks for, `next` the one
 * after it. What has to be read from memory for that is kept in `details`. */
static __always_inline int arguments_are_wanted(const volatile struct as_call* call, __u64 value, __u64 next,
                                                __u64* details, const struct as_wanted* wanted) {
  switch (call->filter) {
    case AS_FILTER_OPEN_FLAGS:
      return open_is_wanted(value, wanted);
    case AS_FILTER_OPEN_HOW:
      if (read_user(details, 16, value)) return 1;
      return open_is_wanted(details[0], wanted);
    case AS_FILTER_CLONE_FLAG:
      return value & 1;
    case AS_FILTER_RAW_SOCKET: {
      if (wanted->options & AS_OPTION_ALL_SOCKETS) return 1;
      __u64 type = next & SOCK_TYPE_MASK_;
      return value == AF_PACKET_ || type == SOCK_RAW_ || type == SOCK_PACKET_;
    }
    case AS_FILTER_PTRACE:
      return ptrace_is_wanted(value, wanted);
    case AS_FILTER_BPF:
      return value >= 64 || (wanted->bpf_commands >> value) & 1;
    case AS_FILTER_TIME_MODES: {
      __u32 modes = 0;
      if (read_user(&modes, sizeof modes, value)) return 1;
      details[0] = modes;
      return modes != 0;
    }
    case AS_FILTER_SEND_ADDRESS:
      return value != 0;
  }
  return 1;
}
