/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Where a system call's number, ABI and arguments are when it returns. At sys_exit pt_regs still holds them:
 * the entry code does not overwrite argument registers, and the one that the result takes has a copy. */

#include "bpf/state.bpf.h"

/* An argument of a record, counted from 1, or the result; 0 where there is none. */
static __always_inline __u64 argument_of(const struct as_record* record, __u32 number) {
  if (number == AS_ARGUMENT_RESULT) return record->result;
  __u64 index = (__u64)number - 1;
  asm volatile("" : "+r"(index)); /* the compiler would check another register than it uses */
  return index < AS_ARGUMENTS ? record->arguments[index] : 0;
}

#if defined(__TARGET_ARCH_x86)

#define TS_COMPAT_ 0x0002           /* arch/x86/include/asm/thread_info.h: a 32-bit system call is active */
#define X32_SYSCALL_BIT_ 0x40000000 /* arch/x86/include/uapi/asm/unistd.h */

static __always_inline __u64 syscall_number(struct pt_regs* regs) {
  return regs->orig_ax & ~X32_SYSCALL_BIT_;
}

static __always_inline int is_compat(struct task_struct* task) {
  return (task->thread_info.status & TS_COMPAT_) != 0;
}

static __always_inline __u32 abi_of(struct pt_regs* regs, int compat) {
  if (compat) return AS_ABI_I386;
  return regs->orig_ax & X32_SYSCALL_BIT_ ? AS_ABI_X32 : AS_ABI_X86_64;
}

static __always_inline __u64 register_argument(struct pt_regs* regs, int compat, __u32 number) {
  if (compat) {
    switch (number) {
      case 1:
        return (__u32)regs->bx;
      case 2:
        return (__u32)regs->cx;
      case 3:
        return (__u32)regs->dx;
      case 4:
        return (__u32)regs->si;
      case 5:
        return (__u32)regs->di;
      case 6:
        return (__u32)regs->bp;
    }
    return 0;
  }
  switch (number) {
    case 1:
      return regs->di;
    case 2:
      return regs->si;
    case 3:
      return regs->dx;
    case 4:
      return regs->r10;
    case 5:
      return regs->r8;
    case 6:
      return regs->r9;
  }
  return 0;
}

#else /* arm64 */

#define TIF_32BIT_ 22 /* arch/arm64/include/asm/thread_info.h */

static __always_inline __u64 syscall_number(struct pt_regs* regs) { return (__u32)regs->syscallno; }

static __always_inline int is_compat(struct task_struct* task) {
  return (task->thread_info.flags >> TIF_32BIT_) & 1;
}

static __always_inline __u32 abi_of(struct pt_regs* regs, int compat) {
  (void)regs;
  return compat ? AS_ABI_ARM : AS_ABI_ARM64;
}

static __always_inline __u64 register_argument(struct pt_regs* regs, int compat, __u32 number) {
  __u64 value = 0;
  switch (number) {
    case 1:
      value = regs->orig_x0;
      break;
    case 2:
      value = regs->regs[1];
      break;
    case 3:
      value = regs->regs[2];
      break;
    case 4:
      value = regs->regs[3];
      break;
    case 5:
      value = regs->regs[4];
      break;
    case 6:
      value = regs->regs[5];
      break;
  }
  return compat ? (__u32)value : value;
}

#endif
