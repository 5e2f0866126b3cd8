/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* The kernel's types, as far as the programs look into them. The members' places are those of the running
 * kernel: libbpf finds them by name in its BTF when the programs are loaded (CO-RE). So building needs no
 * kernel headers and no BTF, and order and padding here mean nothing. */

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  unsigned int val;
} kuid_t;

typedef struct {
  unsigned int val;
} kgid_t;

typedef struct {
  int counter;
} atomic_t;

/* ---- system calls */

#if defined(__TARGET_ARCH_x86)
struct thread_info {
  unsigned long flags;
  __u32 status;
};

struct pt_regs {
  unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct thread_info {
  unsigned long flags;
};

struct pt_regs {
  __u64 regs[31];
  __u64 orig_x0;
  __s32 syscallno;
};
#else
#error "no system-call convention for this architecture"
#endif

/* ---- files */

struct qstr {
  union {
    struct {
      __u32 hash;
      __u32 len;
    };
    __u64 hash_len;
  };
  const unsigned char* name;
};

struct hlist_bl_node {
  struct hlist_bl_node *next, **pprev;
};

struct inode {
  unsigned short i_mode;
};

/* Of a seqcount_spinlock_t, whatever the kernel has around it, the number comes first. */
struct seqcount_any {
  unsigned int sequence;
};

struct dentry {
  struct seqcount_any d_seq;
  struct hlist_bl_node d_hash;
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
  unsigned char d_iname[32];
};

/* What has become of d_iname. */
union shortname_store {
  unsigned long words[5];
};

struct dentry___since_6_14 {
  union shortname_store d_shortname;
};

struct vfsmount {
  struct dentry* mnt_root;
};

struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};

struct file {
  unsigned int f_mode;
  void* private_data;
  struct inode* f_inode;
  struct path f_path;
};

struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};

struct files_struct {
  struct fdtable* fdt;
};

struct fs_struct {
  struct path root, pwd;
};

/* ---- processes */

struct ns_common {
  unsigned int inum;
};

struct mnt_namespace {
  struct ns_common ns;
};

struct nsproxy {
  struct mnt_namespace* mnt_ns;
};

struct cred {
  kuid_t uid;
  kgid_t gid;
  kuid_t suid;
  kgid_t sgid;
  kuid_t euid;
  kgid_t egid;
  kuid_t fsuid;
  kgid_t fsgid;
};

struct kernfs_node {
  __u64 id;
};

struct cgroup {
  struct kernfs_node* kn;
};

struct css_set {
  struct cgroup* dfl_cgrp;
};

struct mm_struct {
  unsigned long arg_start, arg_end;
  struct file* exe_file;
};

struct signal_struct {
  atomic_t live;
  int nr_threads;
  int group_exit_code;
  unsigned int flags;
};

struct task_struct {
  struct thread_info thread_info;
  unsigned int flags;
  int exit_code;
  int pid, tgid;
  __u64 start_boottime;
  __u64 self_exec_id;
  char comm[16];
  struct mm_struct* mm;
  struct task_struct *real_parent, *group_leader;
  const struct cred* cred;
  struct fs_struct* fs;
  struct files_struct* files;
  struct nsproxy* nsproxy;
  struct css_set* cgroups;
  struct signal_struct* signal;
  kuid_t loginuid;
  unsigned int sessionid;
};

struct linux_binprm {
  const char* filename;
  const char* fdpath;
};

/* ---- sockets */

struct in6_addr {
  __u8 bytes[16];
};

struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  int skc_bound_dev_if;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
  __u16 sk_type;
};

struct socket {
  short type;
  struct sock* sk;
};

struct sockaddr_un {
  unsigned short sun_family;
};

struct unix_address {
  int len;
  struct sockaddr_un name[];
};

struct unix_sock {
  struct sock sk;
  struct unix_address* addr;
  struct sock* peer;
};

/* ---- what perf events of tracepoints write (include/trace/trace_events.h) */

struct trace_event_raw_sched_process_exec {
  __u32 __data_loc_filename; /* where in the record, in the low half */
  int old_pid;
};

struct trace_event_raw_sched_process_fork {
  int child_pid;
};

struct trace_event_raw_sys_exit {
  long ret;
};

#pragma clang attribute pop
