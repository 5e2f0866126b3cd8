// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program: bpf(2) answers as a kernel does that lacks something.
// AUDITSHIFT_MASK names what, separated by commas; kMasks has the names. Other system calls go through.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct mask {
  const char* name;
  int command;  // -1: each
  int type;     // of the map or the program, -1: each
  int error;
};

static const struct mask kMasks[] = {
    {"bpf", -1, -1, ENOSYS},            // a kernel without CONFIG_BPF_SYSCALL
    {"btf", BPF_BTF_LOAD, -1, EINVAL},  // before 4.18
    {"task-storage", BPF_MAP_CREATE, BPF_MAP_TYPE_TASK_STORAGE, EINVAL},      // before 5.11
    {"ring-buffer", BPF_MAP_CREATE, BPF_MAP_TYPE_RINGBUF, EINVAL},            // before 5.8
    {"perf-array", BPF_MAP_CREATE, BPF_MAP_TYPE_PERF_EVENT_ARRAY, EINVAL},    // before 4.3
    {"tracing", BPF_PROG_LOAD, BPF_PROG_TYPE_TRACING, EINVAL},                // before 5.5
    {"raw-tracepoint", BPF_PROG_LOAD, BPF_PROG_TYPE_RAW_TRACEPOINT, EINVAL},  // before 4.17
    {"tracepoint", BPF_PROG_LOAD, BPF_PROG_TYPE_TRACEPOINT, EINVAL},          // before 4.7
};

static int is_named(const char* list, const char* name) {
  const size_t length = strlen(name);
  for (const char* at = list; at != NULL; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0')) return 1;
  }
  return 0;
}

// The error that a masked feature gives, or 0.
static int masked(int command, const union bpf_attr* attributes) {
  const char* list = getenv("AUDITSHIFT_MASK");
  if (list == NULL) return 0;
  for (size_t i = 0; i < sizeof kMasks / sizeof *kMasks; ++i) {
    const struct mask* mask = &kMasks[i];
    if (mask->command != -1 && mask->command != command) continue;
    // The type is the first member for maps and for programs.
    if (mask->type != -1 && (attributes == NULL || (int)attributes->map_type != mask->type)) continue;
    if (is_named(list, mask->name)) return mask->error;
  }
  return 0;
}

// "deaf": a kernel that takes programs and attaches them, and never runs them. What it hands out as a link is
// no link.
static int is_deaf(int command) {
  const char* list = getenv("AUDITSHIFT_MASK");
  return (command == BPF_RAW_TRACEPOINT_OPEN || command == BPF_LINK_CREATE) && list != NULL &&
         is_named(list, "deaf");
}

// In the place of the C library's, which libbpf calls.
long syscall(long number, long a, long b, long c, long d, long e, long f) {
  static long (*real)(long, ...) = NULL;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "syscall");
  if (number == SYS_bpf && is_deaf((int)a)) return memfd_create("link", MFD_CLOEXEC);
  const int error = number == SYS_bpf ? masked((int)a, (const union bpf_attr*)b) : 0;
  if (error == 0) return real(number, a, b, c, d, e, f);
  errno = error;
  return -1;
}
