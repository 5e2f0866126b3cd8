/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Adding the caller's texts to a record of tier legacy. In the order of the slots.
 *
 * Kernels before 5.16 forget the bounds of a number that was on the stack, and later ones which register it
 * came from: what bounds an access is copied into a register of its own (the asm), checked there, and used
 * from there right away. */

#include "bpf/legacy_maps.bpf.h"

#define AF_INET_ 2
#define AF_INET6_ 10
#define AS_SOCKADDR_SIZE 128 /* sizeof(struct sockaddr_storage) */

static __always_inline void set_text(struct as_scratch* scratch, __u32 slot, __u32 length, __u32 flags) {
  scratch->record.texts[slot].length = length;
  scratch->record.texts[slot].flags = flags | AS_TEXT_PRESENT;
  scratch->used += length;
}

static __always_inline void add_user_string(struct as_scratch* scratch, __u32 slot, __u64 address) {
  __u64 used = scratch->used;
  asm volatile("" : "+r"(used));
  if (used > AS_DATA_SIZE) {
    set_text(scratch, slot, 0, AS_TEXT_TRUNCATED);
    return;
  }
  /* One byte more than the longest path, to tell it from a longer one. */
  long length = bpf_probe_read_str(scratch->data + used, AS_PATH_SIZE + 1, (const void*)address);
  if (length < 0) {
    count(AS_COUNT_UNREADABLE);
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
  } else if (length == 0) { /* how some kernels tell an empty string, without its NUL */
    set_text(scratch, slot, 0, 0);
  } else {
    set_text(scratch, slot, length - 1, length > AS_PATH_SIZE ? AS_TEXT_TRUNCATED : 0);
  }
}

/* `length` bytes in the caller's memory, cut at `limit`, a constant. In 64 bits: without instructions of 32,
 * the verifier would not see that what was compared is what is used. */
static __always_inline void add_user_piece(struct as_scratch* scratch, __u32 slot, __u64 address,
                                           __u64 length, __u64 limit) {
  __u64 used = scratch->used;
  __u32 flags = 0;
  if (length > limit) {
    length = limit;
    flags = AS_TEXT_TRUNCATED;
  }
  if (length == 0) {
    set_text(scratch, slot, 0, flags);
    return;
  }
  /* Helpers before 4.15 take no size that might be 0. */
  asm volatile("" : "+r"(length), "+r"(used));
  if (length == 0 || length > limit || used > AS_DATA_SIZE) return;
  if (bpf_probe_read(scratch->data + used, length, (const void*)address)) {
    count(AS_COUNT_UNREADABLE);
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
    return;
  }
  set_text(scratch, slot, length, flags);
}

static __always_inline void add_user_bytes(struct as_scratch* scratch, __u32 slot, __u64 address,
                                           __u64 length) {
  add_user_piece(scratch, slot, address, length, AS_PATH_SIZE);
}

static __always_inline void add_user_address(struct as_scratch* scratch, __u32 slot, __u64 address,
                                             __u64 length) {
  add_user_piece(scratch, slot, address, length, AS_SOCKADDR_SIZE);
}

/* The argument vector at `address`: each argument ended by NUL. Few branches: the verifiers of before 5.2
 * look at 131072 instructions and no more, over all ways there are. */
static __always_inline void add_argv(struct as_scratch* scratch, __u64 address, int compat, __u32 limit) {
  __u64 used = 0, size = compat ? sizeof(__u32) : sizeof(__u64), mask = compat ? 0xffffffffULL : ~0ULL;
  __u32 flags = AS_TEXT_TRUNCATED; /* until the end is seen */
#pragma unroll
  for (int i = 0; i < AS_LEGACY_ARGUMENTS; i++) {
    __u64 argument = 0;
    if (bpf_probe_read(&argument, sizeof argument, (const void*)(address + size * i))) {
      flags = AS_TEXT_UNREADABLE;
      break;
    }
    argument &= mask;
    if (!argument) {
      flags = 0;
      break;
    }
    __u64 at = used;
    asm volatile("" : "+r"(at));
    if (at > AS_PATH_SIZE) break;
    scratch->data[at] = 0; /* an empty one has the length 0 on some kernels, see add_user_string() */
    long length = bpf_probe_read_str(scratch->data + at, AS_PATH_SIZE, (const void*)argument);
    if (length < 0) {
      flags = AS_TEXT_UNREADABLE;
      break;
    }
    used += length + !length;
  }
  if (used > limit) {
    used = limit;
    flags |= AS_TEXT_TRUNCATED;
  }
  set_text(scratch, AS_TEXT_TEXT, used, flags);
}
