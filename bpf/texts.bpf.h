/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Adding texts to a record: strings of the caller, bytes, and paths found by walking up the kernel's own
 * tree.
 *
 * The functions are global ones and take numbers only, so that the verifier looks at each once, not once per
 * call; they find the CPU's scratch space themselves. */

#include "bpf/state.bpf.h"

#define AS_NAME_SIZE 256     /* NAME_MAX and its NUL */
#define AS_WALK_LIMIT 128    /* steps towards the root, mounts included */
#define AS_CWD_WALK_LIMIT 12 /* steps of it without a helper; the verifier looks at each */
#define AS_MOUNT_LIMIT 4     /* mounts on top of each other at the root */
#define AS_AT_FDCWD (-100)
#define S_IFMT_ 0170000
#define S_IFSOCK_ 0140000

/* Says what the last `length` bytes of the texts are. */
static __always_inline void name_text(struct as_scratch* scratch, __u32 slot, __u32 length, __u32 flags) {
  if (!__builtin_constant_p(slot)) {
    asm volatile("" : "+r"(slot)); /* or the compiler drops the mask, which the verifier needs */
    slot &= AS_TEXTS - 1;
  }
  scratch->record.texts[slot].length = length;
  scratch->record.texts[slot].flags = flags | AS_TEXT_PRESENT;
}

static __always_inline void set_text(struct as_scratch* scratch, __u32 slot, __u32 length, __u32 flags) {
  name_text(scratch, slot, length, flags);
  scratch->used += length;
}

#define AS_UNREADABLE (-1)

/* A string in the caller's memory. Its first byte, or AS_UNREADABLE. It is read when the call returns: a
 * thread of the caller may have changed it since the kernel read it, as with every sensor that reads
 * arguments. */
static __always_inline int put_user_string(struct as_scratch* scratch, __u32 slot, __u64 address) {
  __u32 used = scratch->used;
  if (unlikely(used > AS_DATA_SIZE)) {
    set_text(scratch, slot, 0, AS_TEXT_TRUNCATED);
    return AS_UNREADABLE;
  }
  char* target = scratch->data + used;
  /* One byte more than the longest path, to tell it from a longer one. */
  long length = bpf_probe_read_user_str(target, AS_PATH_SIZE + 1, (const void*)address);
  if (unlikely(length == 0)) { /* how kernels before 6.15 tell an empty string, without its NUL */
    set_text(scratch, slot, 0, 0);
    return 0;
  }
  if (unlikely(length < 0)) {
    count(AS_COUNT_UNREADABLE);
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
    return AS_UNREADABLE;
  }
  set_text(scratch, slot, length - 1, unlikely(length > AS_PATH_SIZE) ? AS_TEXT_TRUNCATED : 0);
  return unlikely(length == 1) ? 0 : (unsigned char)*target;
}

/* The same, for where a call more costs less than another copy of the code. */
__noinline int add_user_string(__u32 slot, __u64 address) {
  struct as_scratch* scratch = scratch_of_cpu();
  return scratch ? put_user_string(scratch, slot, address) : AS_UNREADABLE;
}

/* `length` bytes in the caller's memory, at most `limit`. */
__noinline int add_user_bytes(__u32 slot, __u64 address, __u32 length, __u32 limit) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return -1;
  __u32 used = scratch->used;
  __u32 flags = 0;
  if (limit > AS_PATH_SIZE) limit = AS_PATH_SIZE;
  if (length > limit) {
    length = limit;
    flags = AS_TEXT_TRUNCATED;
  }
  /* Kernel 6.1 learns bounds from constants only: the compiler must not leave this check out. */
  barrier_var(length);
  if (length > AS_PATH_SIZE) return 0;
  if (used > AS_DATA_SIZE) {
    set_text(scratch, slot, 0, AS_TEXT_TRUNCATED);
    return 0;
  }
  if (bpf_probe_read_user(scratch->data + used, length, (const void*)address)) {
    count(AS_COUNT_UNREADABLE);
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
    return 0;
  }
  set_text(scratch, slot, length, flags);
  return 0;
}

/* A string of the kernel's. */
static __always_inline int add_kernel_string(struct as_scratch* scratch, __u32 slot, const char* address) {
  __u32 used = scratch->used;
  if (used > AS_DATA_SIZE) {
    set_text(scratch, slot, 0, AS_TEXT_TRUNCATED);
    return -1;
  }
  char* target = scratch->data + used;
  long length = bpf_probe_read_kernel_str(target, AS_PATH_SIZE + 1, address);
  if (length <= 0) {
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
    return -1;
  }
  set_text(scratch, slot, length - 1, length > AS_PATH_SIZE ? AS_TEXT_TRUNCATED : 0);
  return length == 1 ? 0 : *target;
}

/* ---- names of the kernel's own tree ----
 *
 * A short name is held by its dentry (d_iname, d_shortname; fs/dcache.c). It is copied word by word: that
 * costs a tenth of what the helper for strings takes, which goes byte by byte. While it is copied, the file
 * may be renamed. That changes the dentry's sequence number, which is odd meanwhile (__d_move()); then, and
 * where the name is a long one, the helper is asked. */

#define AS_SHORT_NAME 32 /* bytes that a dentry of any 64-bit kernel has for its name, NUL included */
#define AS_LENGTH_OF(hash_len) ((__u32)((hash_len) >> 32)) /* HASH_LEN_DECLARE, include/linux/dcache.h */

/* Where that is. The barriers keep the compiler from looking both up and choosing afterwards: one of them
 * each kernel does not have. */
static __always_inline __u32 short_name_offset(void) {
  __u32 offset;
  if (bpf_core_field_exists(struct dentry, d_iname)) {
    offset = bpf_core_field_offset(struct dentry, d_iname);
    barrier_var(offset);
  } else {
    offset = bpf_core_field_offset(struct dentry___since_6_14, d_shortname);
    barrier_var(offset);
  }
  return offset;
}

/* Notes where a name of the components begins. */
static __always_inline void note_name(struct as_scratch* scratch, __u32 start) {
  __u32 index = scratch->names++;
  if (index < AS_NODE_DEPTH) scratch->starts[index] = (__u16)start;
}

static __always_inline __u64 mount_of(__u64 vfsmount) {
  return vfsmount - bpf_core_field_offset(struct mount, mnt);
}

/* A member of the kernel's object at an address that is a plain number. */
#define READ(type, address, ...)                         \
  ({                                                     \
    const type* object_ = (const type*)(__u64)(address); \
    BPF_CORE_READ(object_, __VA_ARGS__);                 \
  })

/* What a step upwards needs of a mount and of a dentry. On most kernels these members lie side by side, so
 * that one read gets them all. */
struct as_mount_head {
  __u64 parent, mountpoint; /* struct mount, struct dentry */
};

struct as_dentry_head {
  __u32 flags;
  __u32 sequence;
  __u64 hash[2];
  __u64 parent;
  __u64 hash_len, name; /* struct qstr */
  __u64 inode;
  __u64 short_name[AS_SHORT_NAME / 8];
};

static __always_inline void read_mount_head(struct as_mount_head* head, __u64 mount) {
  const __u32 start = bpf_core_field_offset(struct mount, mnt_parent);
  if (bpf_core_field_offset(struct mount, mnt_mountpoint) == start + sizeof head->parent) {
    bpf_probe_read_kernel(head, sizeof *head, (const void*)(mount + start));
    return;
  }
  head->parent = (__u64)READ(struct mount, mount, mnt_parent);
  head->mountpoint = (__u64)READ(struct mount, mount, mnt_mountpoint);
}

static __always_inline __u32 sequence_of(__u64 dentry) {
  __u32 sequence = 1;
  bpf_probe_read_kernel(&sequence, sizeof sequence,
                        (const void*)(dentry + bpf_core_field_offset(struct dentry, d_seq)));
  return sequence;
}

#define AS_HEAD_OFFSET(member) \
  (offsetof(struct as_dentry_head, member) - offsetof(struct as_dentry_head, sequence))

/* The sequence number is odd where the short name cannot be used. */
static __always_inline void read_dentry_head(struct as_dentry_head* head, __u64 dentry) {
  const __u32 start = bpf_core_field_offset(struct dentry, d_seq);
  if (bpf_core_field_offset(struct dentry, d_parent) == start + AS_HEAD_OFFSET(parent) &&
      bpf_core_field_offset(struct dentry, d_name) == start + AS_HEAD_OFFSET(hash_len) &&
      short_name_offset() == start + AS_HEAD_OFFSET(short_name)) {
    bpf_probe_read_kernel(&head->sequence, sizeof *head - offsetof(struct as_dentry_head, sequence),
                          (const void*)(dentry + start));
    return;
  }
  head->parent = (__u64)READ(struct dentry, dentry, d_parent);
  head->name = (__u64)READ(struct dentry, dentry, d_name.name);
  head->sequence = 1;
}

/* Puts a name that the dentry itself holds at `at` of the scratch data. Its length with NUL. */
static __always_inline long put_short_name(struct as_scratch* scratch, __u32 at, const __u64* words,
                                           __u32 length) {
  __u64* to = (__u64*)(scratch->data + at);
  for (int i = 0; i < AS_SHORT_NAME / 8; i++) to[i] = words[i];
  return length + 1;
}

/* Goes from the root of a mount to where it is mounted. False at the top of the namespace. */
static __always_inline int leave_mount(struct as_place* place) {
  struct as_mount_head head = {};
  __u64 mount = mount_of(place->mount);
  read_mount_head(&head, mount);
  if (head.parent == mount || !head.parent) return 0;
  place->dentry = head.mountpoint;
  place->mount = head.parent + bpf_core_field_offset(struct mount, mnt);
  return 1;
}

/* Whether a root directory is another than the top of its mount namespace. Mounts that lie on top of that (as
 * after booting from an initial RAM disk, or in a container) do not count. */
static __always_inline int is_chrooted(const struct as_place* root) {
  struct as_place place = *root;
  for (int i = 0; i < AS_MOUNT_LIMIT; i++) {
    if (place.dentry != (__u64)READ(struct vfsmount, place.mount, mnt_root)) return 1;
    if (!leave_mount(&place)) return 0;
  }
  return 1;
}

#define AS_WALK_PART 8             /* steps that the verifier looks at */
#define AS_WALK_GOES_ON (1U << 31) /* beside enum as_text_flag: neither end nor limit is reached */

/* Goes up to AS_WALK_PART steps from scratch->place towards the process's root and adds the names on the way.
 * `start` is where the text begins. Its flags.
 *
 * In walks it is scratch->used that grows, not a variable: of memory the verifier assumes nothing, so that it
 * looks at one turn of the loop as at another, instead of at each combination of lengths. It still looks at
 * each turn; that is why this function is one of its own, which it looks at once, however often it is called
 * from the loop over the parts. */
__noinline int walk_part(__u32 start, __u32 flags) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return flags;
  struct as_place place = scratch->place;
  __u64 mount_root = scratch->mount_root;
  __u64 root_mount = scratch->root.mount, root_dentry = scratch->root.dentry;

  for (int i = 0; i < AS_WALK_PART; i++) {
    if (place.dentry == root_dentry && place.mount == root_mount) {
      if (scratch->chrooted) flags |= AS_TEXT_CHROOT;
      return flags & ~AS_TEXT_TRUNCATED;
    }
    if (place.dentry == mount_root) {
      if (!leave_mount(&place)) return flags & ~AS_TEXT_TRUNCATED;
      mount_root = (__u64)READ(struct vfsmount, place.mount, mnt_root);
      continue;
    }
    struct as_dentry_head head = {};
    read_dentry_head(&head, place.dentry);
    int is_short = !(head.sequence & 1) && AS_LENGTH_OF(head.hash_len) < AS_SHORT_NAME &&
                   head.name == place.dentry + short_name_offset() &&
                   sequence_of(place.dentry) == head.sequence;
    __u32 at = scratch->used;
    barrier_var(
        at); /* checked right before its use: kernel 6.1 forgets the bounds of what was on the stack */
    if (at > AS_DATA_SIZE || at - start > AS_PATH_SIZE) return flags;
    long length = is_short
                      ? put_short_name(scratch, at, head.short_name, AS_LENGTH_OF(head.hash_len))
                      : bpf_probe_read_kernel_str(scratch->data + at, AS_NAME_SIZE, (const void*)head.name);
    if (length <= 0 || head.parent == place.dentry) { /* no way up: a pipe, memfd, or an unmounted tree */
      if (length > 0)
        scratch->used = at + length; /* and where it stands is not known: no use for note_name() */
      return (flags & ~AS_TEXT_TRUNCATED) | AS_TEXT_UNRESOLVED;
    }
    note_name(scratch, at - start);
    scratch->used = at + length;
    barrier(); /* or the compiler keeps it in a register all the same */
    place.dentry = head.parent;
  }
  scratch->place = place;
  scratch->mount_root = mount_root;
  return flags | AS_WALK_GOES_ON;
}

/* The names from scratch->place up to the process's root, or to the top where that is not on the way. The
 * caller may have begun, as AS_WALK_GOES_ON says: with so many bytes at the end of the texts, with the names
 * noted, with scratch->mount_root, and with the other flags. */
__noinline int add_components(__u32 slot, __u32 begun, __u32 flags) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch || begun > AS_PATH_SIZE) return -1;
  __u32 start = scratch->used - begun;

  if (!(flags & AS_WALK_GOES_ON)) {
    __u64 dentry = scratch->place.dentry;
    __u64 mount_root = (__u64)READ(struct vfsmount, scratch->place.mount, mnt_root);
    scratch->mount_root = mount_root;
    scratch->names = 0;
    if (dentry != mount_root && !READ(struct dentry, dentry, d_hash.pprev)) flags |= AS_TEXT_DELETED;
  }
  flags &= ~AS_WALK_GOES_ON;
  flags |= AS_TEXT_TRUNCATED; /* until the end is reached */
  for (int i = 0; i < AS_WALK_LIMIT / AS_WALK_PART; i++) {
    flags = walk_part(start, flags);
    if (!(flags & AS_WALK_GOES_ON)) break;
    flags &= ~AS_WALK_GOES_ON;
  }
  name_text(scratch, slot, scratch->used - start, flags);
  return flags;
}

/* The file behind a descriptor of the current process, as a number, or 0. */
static __always_inline __u64 file_of(struct task_struct* task, int descriptor) {
  struct fdtable* table = task->files->fdt;
  if (descriptor < 0 || (__u32)descriptor >= table->max_fds) return 0;
  __u64 file = 0;
  bpf_probe_read_kernel(&file, sizeof file,
                        (void*)((__u64)BPF_CORE_READ(table, fd) + 8ULL * (__u32)descriptor));
  return file;
}

/* The name of a dentry that the verifier knows as one: its members are loaded without a helper. */
static __always_inline long add_name(struct as_scratch* scratch, __u32 at, const struct dentry* dentry) {
  const __u32 offset = short_name_offset();
  const __u32* now = (const __u32*)((const char*)dentry + bpf_core_field_offset(struct dentry, d_seq));
  __u32 sequence = *now;
  barrier();
  const unsigned char* name = dentry->d_name.name;
  __u32 length = dentry->d_name.len;
  if (!(sequence & 1) && length < AS_SHORT_NAME && (__u64)name == (__u64)dentry + offset) {
    __u64 words[AS_SHORT_NAME / 8];
    const __u64* from = (const __u64*)((const char*)dentry + offset);
    for (int i = 0; i < AS_SHORT_NAME / 8; i++) words[i] = from[i];
    barrier();
    barrier_var(at); /* as in add_components() */
    if (*now == sequence && at <= AS_DATA_SIZE) return put_short_name(scratch, at, words, length);
  }
  barrier_var(at);
  if (at > AS_DATA_SIZE) return 0;
  return bpf_probe_read_kernel_str(scratch->data + at, AS_NAME_SIZE, name);
}

/* The cwd. Up to the root of its mount, the kernel's own types let the verifier follow the pointers without a
 * helper call for each; that is where most walks end. */
__noinline int add_cwd(__u32 slot) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return -1;
  struct task_struct* task = bpf_get_current_task_btf();
  struct dentry* dentry = task->fs->pwd.dentry;
  struct dentry* mount_root = task->fs->pwd.mnt->mnt_root;
  __u64 root_dentry = scratch->root.dentry;
  __u32 start = scratch->used;
  __u32 flags = dentry != mount_root && !dentry->d_hash.pprev ? AS_TEXT_DELETED : 0;

  scratch->names = 0;
  scratch->place.mount = (__u64)task->fs->pwd.mnt;
  for (int i = 0; i < AS_CWD_WALK_LIMIT; i++) {
    struct dentry* parent = dentry->d_parent;
    if (dentry == mount_root || (__u64)dentry == root_dentry || parent == dentry) break;
    __u32 at = scratch->used;
    if (at - start > AS_PATH_SIZE - AS_NAME_SIZE) break;
    long length = add_name(scratch, at, dentry);
    if (length <= 0) break;
    note_name(scratch, at - start);
    scratch->used = at + length;
    barrier(); /* or the compiler keeps it in a register all the same */
    dentry = parent;
  }
  if ((__u64)dentry == root_dentry && scratch->place.mount == scratch->root.mount) {
    name_text(scratch, slot, scratch->used - start, flags | (scratch->chrooted ? AS_TEXT_CHROOT : 0));
    return 0;
  }
  scratch->place.dentry = (__u64)dentry;
  scratch->mount_root = (__u64)mount_root;
  return add_components(slot, scratch->used - start, flags | AS_WALK_GOES_ON);
}

/* The directory a path starts from: the cwd or what a descriptor is open on. */
static __always_inline void add_directory(struct as_scratch* scratch, __u32 slot, int descriptor) {
  if (descriptor == AS_AT_FDCWD) {
    add_cwd(slot);
    return;
  }
  __u64 file = file_of(bpf_get_current_task_btf(), descriptor);
  const void* path = (const void*)(file + bpf_core_field_offset(struct file, f_path));
  if (!file || bpf_probe_read_kernel(&scratch->place, sizeof scratch->place, path)) {
    set_text(scratch, slot, 0, AS_TEXT_UNRESOLVED);
    return;
  }
  add_components(slot, 0, 0);
}
