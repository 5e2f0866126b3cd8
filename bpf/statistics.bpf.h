/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Counting by name while somebody asks for statistics (as_state.counting): what is busiest is found out here,
 * where nothing is lost and nobody has to keep up. When nobody asks, it costs one flag. */

#include "bpf/texts.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, AS_NAME_COUNTS);
  __type(key, struct as_name_key);
  __type(value, struct as_name_count);
} name_counts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, AS_SYSCALL_LIMIT);
  __type(key, __u32);
  __type(value, __u64);
} call_counts SEC(".maps");

static __always_inline void add_count(struct as_name_key* key, __u64 ns) {
  struct as_name_count* value = bpf_map_lookup_elem(&name_counts, key);
  if (!value) {
    struct as_name_count first = {};
    bpf_map_update_elem(&name_counts, key, &first, BPF_NOEXIST); /* or another CPU was first */
    value = bpf_map_lookup_elem(&name_counts, key);
  }
  if (!value) {
    count(AS_COUNT_NOT_COUNTED);
    return;
  }
  __sync_fetch_and_add(&value->events, 1);
  __sync_fetch_and_add(&value->ns, ns);
}

/* Counts the event in the CPU's scratch space: under its executable, under its names, under its call. */
__noinline int count_event(void) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return 0;
  const struct as_record* record = &scratch->record;
  struct as_name_key* key = &scratch->name_key;
  __u32 at = 0, length = record->texts[AS_TEXT_EXECUTABLE].length;

  __builtin_memset(key, 0, sizeof *key);
  key->kind = record->kind;
  key->initiator = 1;
  key->flags[0] = record->texts[AS_TEXT_EXECUTABLE].flags;
  key->lengths[0] = length;
  if (length <= sizeof key->bytes) {
    bpf_probe_read_kernel(key->bytes, length, scratch->data);
    add_count(key, scratch->begun ? bpf_ktime_get_ns() - scratch->begun : 0);
  } else {
    count(AS_COUNT_NOT_COUNTED);
  }

  at = length;
  length = 0;
  __builtin_memset(key, 0, sizeof *key);
  key->kind = record->kind;
  __u32 present = 0;
  for (int i = 0; i < AS_NAME_TEXTS; i++) {
    const struct as_text* text = &record->texts[AS_TEXT_PATH + i];
    key->flags[i] = text->flags;
    key->lengths[i] = text->length;
    present |= text->flags & AS_TEXT_PRESENT;
    length += text->length;
  }
  if (present && length <= sizeof key->bytes && at < AS_DATA_SIZE) {
    bpf_probe_read_kernel(key->bytes, length, scratch->data + at);
    add_count(key, 0);
  } else if (present) {
    count(AS_COUNT_NOT_COUNTED);
  }

  __u32 number = record->syscall;
  if (number >= AS_SYSCALL_LIMIT) return 0;
  __u64* calls_made = bpf_map_lookup_elem(&call_counts, &number);
  if (!calls_made) {
    __u64 none = 0;
    bpf_map_update_elem(&call_counts, &number, &none, BPF_NOEXIST);
    calls_made = bpf_map_lookup_elem(&call_counts, &number);
  }
  if (calls_made) __sync_fetch_and_add(calls_made, 1);
  return 0;
}

/* Hands the record to the reader, and counts it when that is asked for. */
static __always_inline void submit(struct as_scratch* scratch) {
  put_into_ring(scratch);
  if (unlikely(state.counting)) count_event();
}
