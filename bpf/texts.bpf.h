/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Adding texts to a record: strings of the caller, bytes, and paths found by walking up the kernel's own
 * tree.
 *
 * The functions are global ones and take numbers only, so that the verifier looks at each once, not once per
 * call; they find the CPU's scratch space themselves. */

#include "bpf/state.bpf.h"

#define AS_NAME_SIZE 256  /* NAME_MAX and its NUL */
#define AS_WALK_LIMIT 128 /* steps towards the root, mounts included */
#define AS_CWD_WALK_LIMIT 32
#define AS_MOUNT_LIMIT 4 /* mounts on top of each other at the root */
#define AS_AT_FDCWD (-100)
#define S_IFMT_ 0170000
#define S_IFSOCK_ 0140000

static __always_inline void set_text(struct as_scratch* scratch, __u32 slot, __u32 length, __u32 flags) {
  asm volatile("" : "+r"(slot)); /* or the compiler drops the mask, which the verifier needs */
  slot &= AS_TEXTS - 1;
  scratch->record.texts[slot].length = length;
  scratch->record.texts[slot].flags = flags | AS_TEXT_PRESENT;
  scratch->used += length;
}

#define AS_UNREADABLE (-1)

/* A string in the caller's memory. Its first byte, or AS_UNREADABLE. It is read when the call returns: a
 * thread of the caller may have changed it since the kernel read it, as with every sensor that reads
 * arguments. */
__noinline int add_user_string(__u32 slot, __u64 address) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return AS_UNREADABLE;
  __u32 used = scratch->used;
  if (used > AS_DATA_SIZE) {
    set_text(scratch, slot, 0, AS_TEXT_TRUNCATED);
    return AS_UNREADABLE;
  }
  char* target = scratch->data + used;
  /* One byte more than the longest path, to tell it from a longer one. */
  long length = bpf_probe_read_user_str(target, AS_PATH_SIZE + 1, (const void*)address);
  if (length == 0) { /* how kernels before 6.15 tell an empty string, without its NUL */
    set_text(scratch, slot, 0, 0);
    return 0;
  }
  if (length < 0) {
    count(AS_COUNT_UNREADABLE);
    set_text(scratch, slot, 0, AS_TEXT_UNREADABLE);
    return AS_UNREADABLE;
  }
  set_text(scratch, slot, length - 1, length > AS_PATH_SIZE ? AS_TEXT_TRUNCATED : 0);
  return length == 1 ? 0 : (unsigned char)*target;
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

/* Goes from the root of a mount to where it is mounted. False at the top of the namespace. */
static __always_inline int leave_mount(struct as_place* place) {
  __u64 mount = mount_of(place->mount);
  __u64 parent = (__u64)READ(struct mount, mount, mnt_parent);
  if (parent == mount || !parent) return 0;
  place->dentry = (__u64)READ(struct mount, mount, mnt_mountpoint);
  place->mount = parent + bpf_core_field_offset(struct mount, mnt);
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

/* The names from scratch->place up to the process's root, or to the top where that is not on the way. The
 * caller may have begun: with so many bytes behind the texts that are there, and with `flags`. */
__noinline int add_components(__u32 slot, __u32 begun, __u32 flags) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch || begun > AS_PATH_SIZE) return -1;
  struct as_place place = scratch->place;
  __u64 root_mount = scratch->root.mount, root_dentry = scratch->root.dentry;
  __u64 mount_root = (__u64)READ(struct vfsmount, place.mount, mnt_root);
  __u32 start = scratch->used, used = start + begun;

  if (!begun) scratch->names = 0;
  flags |= AS_TEXT_TRUNCATED; /* until the end is reached */
  if (!begun && place.dentry != mount_root && !READ(struct dentry, place.dentry, d_hash.pprev))
    flags |= AS_TEXT_DELETED;
  for (int i = 0; i < AS_WALK_LIMIT; i++) {
    if (place.dentry == root_dentry && place.mount == root_mount) {
      flags &= ~AS_TEXT_TRUNCATED;
      if (scratch->chrooted) flags |= AS_TEXT_CHROOT;
      break;
    }
    if (place.dentry == mount_root) {
      if (!leave_mount(&place)) {
        flags &= ~AS_TEXT_TRUNCATED;
        break;
      }
      mount_root = (__u64)READ(struct vfsmount, place.mount, mnt_root);
      continue;
    }
    struct qstr name = {};
    const struct dentry* dentry = (const struct dentry*)place.dentry;
    bpf_core_read(&name, sizeof name, &dentry->d_name);
    __u32 at =
        used; /* checked right before its use: kernel 6.1 forgets the bounds of what was on the stack */
    barrier_var(at);
    if (at > AS_DATA_SIZE || at - start > AS_PATH_SIZE) break;
    long length = bpf_probe_read_kernel_str(scratch->data + at, AS_NAME_SIZE, name.name);
    __u64 parent = (__u64)READ(struct dentry, place.dentry, d_parent);
    if (length <= 0 || parent == place.dentry) { /* no way up: a pipe, memfd, or an unmounted tree */
      if (length > 0) used += length; /* and where it stands is not known: note_name() has no use */
      flags = (flags & ~AS_TEXT_TRUNCATED) | AS_TEXT_UNRESOLVED;
      break;
    }
    note_name(scratch, used - start);
    used += length;
    place.dentry = parent;
  }
  set_text(scratch, slot, used - start, flags);
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

/* The cwd. Up to the root of its mount, the kernel's own types let the verifier follow the pointers without a
 * helper call for each; that is where most walks end. */
__noinline int add_cwd(__u32 slot) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return -1;
  struct task_struct* task = bpf_get_current_task_btf();
  struct dentry* dentry = task->fs->pwd.dentry;
  struct dentry* mount_root = task->fs->pwd.mnt->mnt_root;
  __u64 root_dentry = scratch->root.dentry;
  __u32 start = scratch->used, used = start;
  __u32 flags = dentry != mount_root && !dentry->d_hash.pprev ? AS_TEXT_DELETED : 0;

  scratch->names = 0;
  scratch->place.mount = (__u64)task->fs->pwd.mnt;
  for (int i = 0; i < AS_CWD_WALK_LIMIT; i++) {
    struct dentry* parent = dentry->d_parent;
    if (dentry == mount_root || (__u64)dentry == root_dentry || parent == dentry) break;
    if (used > AS_DATA_SIZE || used - start > AS_PATH_SIZE - AS_NAME_SIZE) break;
    long length = bpf_probe_read_kernel_str(scratch->data + used, AS_NAME_SIZE, dentry->d_name.name);
    if (length <= 0) break;
    note_name(scratch, used - start);
    used += length;
    dentry = parent;
  }
  scratch->place.dentry = (__u64)dentry;
  return add_components(slot, used - start, flags);
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
