/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What can happen, as the kernel side, the ring-buffer records and the user side number it. The numbers are
 * part of the record format: append, never reuse. Names for people and for JSON: sensor/event.cpp. */
enum as_kind {
  AS_KIND_NONE = 0,

  /* processes */
  AS_KIND_EXEC = 1,    /* execve, execveat; a failed one has a negative result */
  AS_KIND_FORK = 2,    /* fork, vfork, clone, clone3: a new process or, by option, a new thread */
  AS_KIND_EXIT = 3,    /* the last thread of a process is gone */
  AS_KIND_RUNNING = 4, /* was already there when the sensor began to look */
  AS_KIND_SESSION = 5, /* setsid */
  AS_KIND_NAME = 6,    /* the process changed its comm */
  AS_KIND_CORE_DUMP = 7,

  /* credentials */
  AS_KIND_UID_CHANGE = 10,
  AS_KIND_GID_CHANGE = 11,
  AS_KIND_GROUPS_CHANGE = 12,
  AS_KIND_CAPABILITIES_CHANGE = 13,

  /* files */
  AS_KIND_OPEN = 20,   /* an existing file was opened, or opening failed */
  AS_KIND_CREATE = 21, /* opening made the file */
  AS_KIND_RENAME = 22,
  AS_KIND_UNLINK = 23,
  AS_KIND_RMDIR = 24,
  AS_KIND_MKDIR = 25,
  AS_KIND_LINK = 26,
  AS_KIND_SYMLINK = 27,
  AS_KIND_MKNOD = 28,
  AS_KIND_TRUNCATE = 29,
  AS_KIND_CHMOD = 30,
  AS_KIND_CHOWN = 31,
  AS_KIND_SET_XATTR = 32,
  AS_KIND_REMOVE_XATTR = 33,
  AS_KIND_MOUNT = 34, /* mount, move_mount, fsmount, open_tree, pivot_root, mount_setattr */
  AS_KIND_UNMOUNT = 35,

  /* sockets */
  AS_KIND_SOCKET = 40,
  AS_KIND_CONNECT = 41,
  AS_KIND_BIND = 42,
  AS_KIND_LISTEN = 43,
  AS_KIND_ACCEPT = 44,
  AS_KIND_SEND = 45, /* a datagram with an address of its own */
  AS_KIND_SET_SOCKET_OPTION = 46,

  /* other processes and the system */
  AS_KIND_PTRACE = 50,
  AS_KIND_PROCESS_WRITE = 51, /* process_vm_writev */
  AS_KIND_BPF = 52,
  AS_KIND_MODULE_LOAD = 53,
  AS_KIND_MODULE_UNLOAD = 54,
  AS_KIND_KEXEC = 55,
  AS_KIND_TIME_CHANGE = 56,
  AS_KIND_HOST_NAME_CHANGE = 57,

  /* the sensor about itself */
  AS_KIND_LOSS = 60,

  AS_KIND_LIMIT = 64 /* all kinds are below: a set of kinds is one 64-bit word */
};
