/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* The socket calls' part of a record: both ends, and what kind of socket it is. */

#include "bpf/texts.bpf.h"

#define AF_UNIX_ 1
#define AF_INET_ 2
#define AF_INET6_ 10
#define AS_SOCKADDR_SIZE 128 /* sizeof(struct sockaddr_storage) */
#define AS_UNIX_SIZE 110     /* sizeof(struct sockaddr_un) */

/* As in <netinet/in.h>. */
struct as_sockaddr_in {
  __u16 family;
  __be16 port;
  __be32 address;
  __u8 zero[8];
};

struct as_sockaddr_in6 {
  __u16 family;
  __be16 port;
  __u32 flow;
  __u8 address[16];
  __u32 scope;
};

/* The socket behind a descriptor of the current process, as a number, or 0. */
static __always_inline __u64 sock_of(struct task_struct* task, int descriptor) {
  __u64 file = file_of(task, descriptor);
  if (!file) return 0;
  if ((READ(struct file, file, f_inode, i_mode) & S_IFMT_) != S_IFSOCK_) return 0;
  __u64 socket = (__u64)READ(struct file, file, private_data);
  return (__u64)READ(struct socket, socket, sk);
}

static __always_inline void add_kernel_bytes(struct as_scratch* scratch, __u32 slot, const void* bytes,
                                             __u32 length) {
  __u32 used = scratch->used;
  if (used > AS_DATA_SIZE || length > AS_SOCKADDR_SIZE) return;
  if (bpf_probe_read_kernel(scratch->data + used, length, bytes)) return;
  set_text(scratch, slot, length, 0);
}

static __always_inline void add_unix_address(struct as_scratch* scratch, __u32 slot, __u64 sock) {
  struct unix_address* address = READ(struct unix_sock, sock, addr);
  if (!address) return; /* not bound to a name */
  int length = BPF_CORE_READ(address, len);
  if (length < 0 || length > AS_UNIX_SIZE) return;
  add_kernel_bytes(scratch, slot,
                   (const void*)((__u64)address + bpf_core_field_offset(struct unix_address, name)), length);
}

/* One end of a socket as the kernel knows it, in the form of a struct sockaddr. */
__noinline int add_socket_end(__u32 slot, __u64 sock) {
  struct as_scratch* scratch = scratch_of_cpu();
  if (!scratch) return 0;
  const struct sock_common* common = (const struct sock_common*)sock;
  int local = slot == AS_TEXT_LOCAL;
  __u16 family = BPF_CORE_READ(common, skc_family);

  if (family == AF_INET_) {
    struct as_sockaddr_in address = {.family = family};
    address.port =
        local ? __builtin_bswap16(BPF_CORE_READ(common, skc_num)) : BPF_CORE_READ(common, skc_dport);
    address.address = local ? BPF_CORE_READ(common, skc_rcv_saddr) : BPF_CORE_READ(common, skc_daddr);
    add_kernel_bytes(scratch, slot, &address, sizeof address);
  } else if (family == AF_INET6_) {
    struct as_sockaddr_in6 address = {.family = family};
    address.port =
        local ? __builtin_bswap16(BPF_CORE_READ(common, skc_num)) : BPF_CORE_READ(common, skc_dport);
    if (local)
      BPF_CORE_READ_INTO(&address.address, common, skc_v6_rcv_saddr);
    else
      BPF_CORE_READ_INTO(&address.address, common, skc_v6_daddr);
    address.scope = BPF_CORE_READ(common, skc_bound_dev_if);
    add_kernel_bytes(scratch, slot, &address, sizeof address);
  } else if (family == AF_UNIX_) {
    __u64 end = local ? sock : (__u64)READ(struct unix_sock, sock, peer);
    if (end) add_unix_address(scratch, slot, end);
  }
  return 0;
}

/* Address and length of a msghdr's name in the caller's memory (both ABIs begin with these two). */
static __always_inline int read_message_name(__u64 message, int compat, __u64* name, __u32* length) {
  if (compat) {
    __u32 words[2] = {};
    if (bpf_probe_read_user(words, sizeof words, (const void*)message)) return 0;
    *name = words[0];
    *length = words[1];
  } else {
    __u64 words[2] = {};
    if (bpf_probe_read_user(words, sizeof words, (const void*)message)) return 0;
    *name = words[0];
    *length = (__u32)words[1];
  }
  return *name != 0;
}

/* False when the call is not worth a record after all. */
static __always_inline int add_socket(struct as_scratch* scratch, const volatile struct as_call* call,
                                      int compat) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct as_record* record = &scratch->record;
  __u32 address = call->address;
  __u64 sock = sock_of(task, (int)argument_of(record, call->socket));
  __u64 name = 0;
  __u32 length = 0;

  if (address == AS_ADDRESS_REMOTE || address == AS_ADDRESS_LOCAL) {
    name = argument_of(record, call->address_argument);
    length = (__u32)argument_of(record, call->address_argument + 1);
  } else if (address == AS_ADDRESS_MESSAGE) {
    if (!read_message_name(argument_of(record, call->address_argument), compat, &name, &length)) return 0;
  }
  __u16 family = 0;
  if (sock) {
    family = READ(struct sock_common, sock, skc_family);
    record->socket_family = family;
    record->socket_type = READ(struct sock, sock, sk_type);
    record->socket_protocol = READ(struct sock, sock, sk_protocol);
    record->flags |= AS_RECORD_SOCKET;
  }
  if (call->kind == AS_KIND_SEND && family != AF_INET_ && family != AF_INET6_) return 0;

  int failed = record->result < 0;
  /* After a successful bind the kernel knows better than the caller: the port may have been chosen. */
  int ask_kernel = sock && !(address == AS_ADDRESS_LOCAL && failed);
  if (ask_kernel) add_socket_end(AS_TEXT_LOCAL, sock);
  if (address == AS_ADDRESS_KERNEL) {
    if (sock) add_socket_end(AS_TEXT_REMOTE, sock);
  } else if (address == AS_ADDRESS_LOCAL) {
    if (!(record->texts[AS_TEXT_LOCAL].flags & AS_TEXT_PRESENT))
      add_user_bytes(AS_TEXT_LOCAL, name, length, AS_SOCKADDR_SIZE);
  } else if (name) {
    add_user_bytes(AS_TEXT_REMOTE, name, length, AS_SOCKADDR_SIZE);
  }
  return 1;
}
