// SPDX-License-Identifier: Apache-2.0
// Preloaded into auditshift in a virtual machine: stops it at records of its journal, so that the scenario
// can cut the power there. /etc/auditshift-stop says where; the file is removed when the program takes notice
// of it.
//   each  right before and right after each sync of a journal: "before N" or "after N" is a line on the port
//         auditshift.stops, and the program goes on when one comes back from there
//   N     right after the N-th one, for good; that is told on the console
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* const kOrder = "/etc/auditshift-stop";
static const char* const kPort = "/dev/virtio-ports/auditshift.stops";
static int (*real_fsync)(int) = NULL;
static int last = 0;   // the sync to stop after; 0: none
static int port = -1;  // to hold at each; -1: no
static int number = 0;

__attribute__((constructor)) static void begin(void) {
  *(void**)&real_fsync = dlsym(RTLD_NEXT, "fsync");
  unsetenv("LD_PRELOAD");  // not for the programs it runs
  FILE* order = fopen(kOrder, "re");
  if (order == NULL) return;
  char where[16] = "";
  if (fscanf(order, "%15s", where) == 1) last = atoi(where);
  fclose(order);
  unlink(kOrder);
  const int directory = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    real_fsync(directory);
    close(directory);
  }
  if (strcmp(where, "each") != 0) return;
  port = open(kPort, O_RDWR | O_CLOEXEC);
  if (port < 0) {
    perror(kPort);
    abort();
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

// Until an answer comes.
static void hold(const char* when) {
  char answer;
  if (port < 0) return;
  dprintf(port, "%s %d\n", when, number);
  while (read(port, &answer, 1) == 1 && answer != '\n') {
  }
}

static void stop_for_good(void) {
  const int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  dprintf(console, "auditshift stopped at sync %d\n", number);
  while (1) pause();
}

int fsync(int fd) {
  if ((last == 0 && port < 0) || !is_journal(fd)) return real_fsync(fd);
  ++number;
  hold("before");
  const int result = real_fsync(fd);
  if (number == last) stop_for_good();
  hold("after");
  return result;
}
