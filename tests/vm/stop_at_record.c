// SPDX-License-Identifier: Apache-2.0
// Preloaded into auditshift in a virtual machine: stops it for good at one record of its journal, so that the
// scenario can cut the power there. /etc/auditshift-stop says where: "N after" or "N before" the N-th sync of
// a journal; the file is removed when the program takes notice of it. The stop is told on the console. N = 0:
// only counts, and leaves the number of syncs in /run/auditshift-syncs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* const kOrder = "/etc/auditshift-stop";
static int (*real_fsync)(int) = NULL;
static int wanted = -1;  // -1: no order
static int before = 0;
static int number = 0;

static void say(const char* path, int flags, const char* text, int value) {
  const int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return;
  dprintf(fd, "%s%d\n", text, value);
  close(fd);
}

__attribute__((constructor)) static void begin(void) {
  *(void**)&real_fsync = dlsym(RTLD_NEXT, "fsync");
  unsetenv("LD_PRELOAD");  // not for the programs it runs
  FILE* order = fopen(kOrder, "re");
  if (order == NULL) return;
  char when[16] = "";
  if (fscanf(order, "%d %15s", &wanted, when) != 2) wanted = -1;
  before = strcmp(when, "before") == 0;
  fclose(order);
  unlink(kOrder);
  const int directory = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    real_fsync(directory);
    close(directory);
  }
}

static int is_journal(int fd) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return strstr(path, "/var/lib/auditshift/journal/") != NULL;
}

static void stop(void) {
  say("/dev/console", O_WRONLY | O_NOCTTY, "auditshift stopped at sync ", number);
  while (1) pause();
}

int fsync(int fd) {
  if (wanted < 0 || !is_journal(fd)) return real_fsync(fd);
  ++number;
  if (number == wanted && before) stop();
  const int result = real_fsync(fd);
  if (number == wanted) stop();
  if (wanted == 0) say("/run/auditshift-syncs", O_WRONLY | O_CREAT | O_TRUNC, "", number);
  return result;
}
