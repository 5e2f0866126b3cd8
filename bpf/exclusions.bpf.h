/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Whether a name is excluded: it is followed down the tree of exclusions (record.h), name by name, and the
 * first that is not there ends it. What a name means is said in sensor/exclusions.h. Here only what is surely
 * excluded is kept back; whatever takes more than following names (a ".." that leads out again, a root that
 * is not the namespace's, a name cut off, one deeper than the limits, an exclusion of "/" itself) is handed
 * up, and the user side decides.
 *
 * As in texts.bpf.h the functions are global ones that take numbers: the verifier looks at each once. */

#include "bpf/texts.bpf.h"

#define AS_PATH_NAMES 128 /* of a path that a caller gives */
#define AS_NAME_PIECES 5  /* a name has 255 bytes at most */

/* The tree in force. It is replaced as a whole and freed when no program that saw it runs any more, so that
 * an address says within one run which one it is: two look-ups with the same before and after were in one
 * tree. */
static __always_inline void* tree_in_force(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&exclusions, &zero);
}

/* Puts the bytes at `at` of the scratch data into the key, up to '/', NUL, `end` or a full piece. Their
 * number. */
__noinline int take_piece(__u32 at, __u32 end) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return 0;
  struct as_node_key* key = &scratch->key;
  __builtin_memset(key->name, 0, sizeof key->name);
  __u32 length = 0;
  for (; length < AS_NODE_NAME; length++) {
    __u32 position = at + length;
    asm volatile("" : "+r"(position)); /* the compiler would check another register than it uses */
    if (position >= end || position >= sizeof scratch->data) break;
    char byte = scratch->data[position];
    if (!byte || byte == '/') break;
    key->name[length] = byte;
  }
  return length;
}

/* The node that the name at `at` of the scratch data leads to from `node`; scratch->next is behind it. Once
 * in an excluded folder all names lead to where they start, but ".." might lead out. */
__noinline int follow_name(__u32 node, __u32 at, __u32 end) {
  struct as_scratch* scratch = scratch_of_cpu();
  void* tree = tree_in_force();
  if (!scratch || !tree) return AS_NODE_NOWHERE;
  struct as_node_key* key = &scratch->key;
  for (__u32 piece = 0; piece < AS_NAME_PIECES; piece++) {
    __u32 length = (__u32)take_piece(at, end);
    at += length;
    scratch->next = at + 1;
    if (piece == 0 && length == 0) return node;
    if (piece == 0 && key->name[0] == '.') {
      if (length == 1) return node;
      if (length == 2 && key->name[1] == '.') return AS_NODE_NOWHERE;
    }
    if (!(node & AS_NODE_FOLDER)) {
      key->parent = node & AS_NODE_NUMBER;
      __u32* found = bpf_map_lookup_elem(tree, key);
      if (!found) return AS_NODE_NOWHERE;
      node = *found;
    }
    if (length < AS_NODE_NAME) return node;
  }
  return AS_NODE_NOWHERE;
}

/* The node that a path as the caller gave it leads to from `node`. */
__noinline int follow_path(__u32 node, __u32 at, __u32 end) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return AS_NODE_NOWHERE;
  for (int i = 0; i < AS_PATH_NAMES; i++) {
    if (at >= end || node == AS_NODE_NOWHERE) return node;
    node = follow_name(node, at, end);
    at = scratch->next;
  }
  return AS_NODE_NOWHERE;
}

/* The node that the components in the scratch data lead to, whose names were noted last. */
__noinline int follow_components(__u32 at, __u32 end) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return AS_NODE_NOWHERE;
  __u32 node = AS_NODE_ROOT, left = scratch->names;
  if (left > AS_NODE_DEPTH) return AS_NODE_NOWHERE;
  for (int i = 0; i < AS_NODE_DEPTH; i++) {
    /* What comes from the kernel has no "..": it stays in the folder. */
    if (left == 0 || node == AS_NODE_NOWHERE || node & AS_NODE_FOLDER) return node;
    __u32 index = --left;
    asm volatile("" : "+r"(index)); /* as above */
    if (index >= AS_NODE_DEPTH) return AS_NODE_NOWHERE;
    node = follow_name(node, at + scratch->starts[index], end);
  }
  return left == 0 ? (int)node : (int)AS_NODE_NOWHERE;
}

/* Notes the names of components that were copied, not walked to. */
__noinline int find_starts(__u32 at, __u32 end) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return 0;
  __u32 offset = 0;
  scratch->names = 0;
  for (int i = 0; i <= AS_NODE_DEPTH; i++) {
    __u32 position = at + offset;
    asm volatile("" : "+r"(position)); /* as above */
    if (position >= end || position >= AS_DATA_SIZE) break;
    /* Behind the texts is room. */
    long length =
        bpf_probe_read_kernel_str(scratch->data + AS_DATA_SIZE, AS_NAME_SIZE, scratch->data + position);
    if (length <= 0) break;
    note_name(scratch, offset);
    offset += length;
  }
  return 0;
}

#define AS_NOT_KNOWN (AS_TEXT_TRUNCATED | AS_TEXT_UNREADABLE | AS_TEXT_UNRESOLVED | AS_TEXT_CHROOT)

/* Whether the name is excluded that begins at `at` of the scratch data: a path and, in the slot behind, the
 * directory where it starts. */
static __always_inline int name_is_excluded(struct as_scratch* scratch, __u32 slot, __u32 at) {
  const struct as_record* record = &scratch->record;
  const struct as_text *path = &record->texts[slot], *directory = &record->texts[slot + 1];
  if (record->kind < AS_KIND_OPEN || record->kind > AS_KIND_REMOVE_XATTR) return 0;
  if ((path->flags | directory->flags) & AS_NOT_KNOWN) return 0;
  __u32 node = AS_NODE_ROOT, middle = at + path->length;
  if (directory->flags & AS_TEXT_SAME) {
    node = scratch->directory_node;
  } else if (directory->flags & AS_TEXT_PRESENT) {
    node = scratch->directory_node = follow_components(middle, middle + directory->length);
  } else {
    if (!path->length) return 0;
    /* Checked right before its use: kernel 6.1 forgets the bounds of what was on the stack. */
    __u32 first = at;
    barrier_var(first);
    if (first >= AS_DATA_SIZE || scratch->data[first] != '/') return 0;
  }
  node = follow_path(node, at, middle);
  return (node & (AS_NODE_FILE | AS_NODE_FOLDER)) != 0;
}

/* The same for the second name; true where the event has only one. */
static __always_inline int second_name_is_excluded(struct as_scratch* scratch, __u32 at) {
  __u32 kind = scratch->record.kind;
  if (kind != AS_KIND_RENAME && kind != AS_KIND_LINK) return 1;
  return name_is_excluded(scratch, AS_TEXT_SECOND_PATH, at);
}
