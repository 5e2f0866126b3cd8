/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into every auditctl that the tests run. What cannot be undone without a reboot (enabled 2, a
 * locked loginuid feature), what would stop the machine (failure 2), and what reaches other processes never
 * gets to the kernel: auditctl is told that it worked. A second belt looks at the netlink messages
 * themselves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

static int answered(const char* what, unsigned value) {
  fprintf(stderr, "shim: %s %u was not sent\n", what, value);
  return 1;
}

int audit_set_enabled(int fd, uint32_t enabled) {
  (void)fd;
  return answered("enabled", enabled);
}

int audit_set_failure(int fd, uint32_t failure) {
  (void)fd;
  return answered("failure", failure);
}

int audit_set_loginuid_immutable(int fd) {
  (void)fd;
  return answered("loginuid_immutable", 1);
}

int audit_set_feature(int fd, unsigned feature, unsigned value, unsigned lock) {
  (void)fd;
  (void)value;
  (void)lock;
  return answered("feature", feature);
}

int audit_log_user_message(int fd, int type, const char* message, const char* hostname, const char* addr,
                           const char* tty, int result) {
  (void)fd;
  (void)message;
  (void)hostname;
  (void)addr;
  (void)tty;
  (void)result;
  return answered("user message", (unsigned)type);
}

int kill(pid_t pid, int number) {
  (void)pid;
  answered("signal", (unsigned)number);
  return 0;
}

static int forbidden(const void* bytes, size_t size) {
  struct nlmsghdr head;
  struct audit_status status;
  size_t length;
  if (size < sizeof head) return 0;
  memcpy(&head, bytes, sizeof head);
  if (head.nlmsg_type == AUDIT_SET_FEATURE) return 1;
  if (head.nlmsg_type != AUDIT_SET) return 0;
  memset(&status, 0, sizeof status);
  length = size - NLMSG_HDRLEN;
  memcpy(&status, (const char*)bytes + NLMSG_HDRLEN, length < sizeof status ? length : sizeof status);
  return (status.mask & (AUDIT_STATUS_ENABLED | AUDIT_STATUS_FAILURE | AUDIT_STATUS_PID)) != 0;
}

ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const struct sockaddr* address,
               socklen_t length) {
  static ssize_t (*real)(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  if (bytes != NULL && forbidden(bytes, size)) {
    errno = EPERM;
    return -1;
  }
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "sendto");
  return real(fd, bytes, size, flags, address, length);
}
