/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit system of one simulated host, preloaded into every program there. This machine has one kernel,
 * and so one audit; the hosts of the fleet's tests each have their own: what is sent to a socket of
 * NETLINK_AUDIT is answered from the host's /run/host-audit, in the kernel's messages, and never gets to the
 * kernel. Rules, and the lock (enabled 2), live until the host's next boot, which makes /run anew.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum { kMaxDescriptors = 1024, kMaxRules = 256, kMaxRule = 9000, kLocked = 2 };

struct rule {
  uint32_t size;
  unsigned char bytes[kMaxRule];
};

struct host_audit {
  struct audit_status status;
  uint32_t count;
  struct rule rules[kMaxRules];
};

/* The other end of each audit socket of this process, by descriptor; 0: it is none. */
static int peers[kMaxDescriptors];

static int is_ours(int fd) { return fd >= 0 && fd < kMaxDescriptors && peers[fd] > 0; }

int socket(int domain, int type, int protocol) {
  static int (*real)(int, int, int);
  int ends[2];
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "socket");
  if (domain != AF_NETLINK || protocol != NETLINK_AUDIT) return real(domain, type, protocol);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (type & SOCK_NONBLOCK), 0, ends) != 0) return -1;
  if (ends[0] >= kMaxDescriptors) {
    close(ends[0]);
    close(ends[1]);
    errno = EMFILE;
    return -1;
  }
  if (peers[ends[0]] > 0) close(peers[ends[0]]); /* of a socket that was closed since */
  peers[ends[0]] = ends[1];
  return ends[0];
}

static void reply(int fd, const struct nlmsghdr* request, uint16_t type, const void* data, size_t size) {
  char message[NLMSG_HDRLEN + kMaxRule];
  struct nlmsghdr head = {
      .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type, .nlmsg_seq = request->nlmsg_seq};
  if (size > kMaxRule) return;
  memcpy(message, &head, sizeof head);
  if (size > 0) memcpy(message + NLMSG_HDRLEN, data, size);
  (void)!write(peers[fd], message, NLMSG_HDRLEN + size);
}

static void acknowledge(int fd, const struct nlmsghdr* request, int problem) {
  struct nlmsgerr answer = {.error = -problem, .msg = *request};
  reply(fd, request, NLMSG_ERROR, &answer, sizeof answer);
}

static uint32_t without_flags(const struct rule* rule) {
  struct audit_rule_data head;
  memcpy(&head, rule->bytes, sizeof head);
  return head.flags & ~(uint32_t)AUDIT_FILTER_PREPEND;
}

static int same(const struct rule* a, const struct rule* b) {
  const size_t first = sizeof(uint32_t); /* the flags, with the place where it goes */
  return a->size == b->size && without_flags(a) == without_flags(b) &&
         memcmp(a->bytes + first, b->bytes + first, a->size - first) == 0;
}

static int find(const struct host_audit* audit, const struct rule* wanted) {
  for (uint32_t i = 0; i < audit->count; ++i)
    if (same(&audit->rules[i], wanted)) return (int)i;
  return -1;
}

static int add_rule(struct host_audit* audit, const struct rule* added) {
  uint32_t flags = 0;
  uint32_t at = audit->count;
  if (find(audit, added) >= 0) return EEXIST;
  if (audit->count == kMaxRules) return ENOMEM;
  memcpy(&flags, added->bytes, sizeof flags);
  if ((flags & AUDIT_FILTER_PREPEND) != 0) {
    memmove(&audit->rules[1], &audit->rules[0], audit->count * sizeof audit->rules[0]);
    at = 0;
  }
  audit->rules[at] = *added;
  flags &= ~(uint32_t)AUDIT_FILTER_PREPEND;
  memcpy(audit->rules[at].bytes, &flags, sizeof flags);
  ++audit->count;
  return 0;
}

static int delete_rule(struct host_audit* audit, const struct rule* gone) {
  const int at = find(audit, gone);
  if (at < 0) return ENOENT;
  --audit->count;
  memmove(&audit->rules[at], &audit->rules[at + 1], (audit->count - (uint32_t)at) * sizeof audit->rules[0]);
  return 0;
}

static void set_status(struct host_audit* audit, const void* data, size_t size) {
  struct audit_status wanted;
  memset(&wanted, 0, sizeof wanted);
  memcpy(&wanted, data, size < sizeof wanted ? size : sizeof wanted);
  if ((wanted.mask & AUDIT_STATUS_ENABLED) != 0) audit->status.enabled = wanted.enabled;
  if ((wanted.mask & AUDIT_STATUS_FAILURE) != 0) audit->status.failure = wanted.failure;
  if ((wanted.mask & AUDIT_STATUS_RATE_LIMIT) != 0) audit->status.rate_limit = wanted.rate_limit;
  if ((wanted.mask & AUDIT_STATUS_BACKLOG_LIMIT) != 0) audit->status.backlog_limit = wanted.backlog_limit;
}

static int changes(uint16_t type) {
  return type == AUDIT_SET || type == AUDIT_ADD_RULE || type == AUDIT_DEL_RULE || type == AUDIT_TRIM ||
         type == AUDIT_MAKE_EQUIV;
}

/* As the kernel's audit_receive_msg. */
static void receive(int fd, struct host_audit* audit, const struct nlmsghdr* request, const char* data,
                    size_t size) {
  static struct rule rule;
  struct audit_features features = {.vers = AUDIT_FEATURE_VERSION};
  int problem = 0;
  const int of_rules = request->nlmsg_type == AUDIT_ADD_RULE || request->nlmsg_type == AUDIT_DEL_RULE;
  if (changes(request->nlmsg_type) && audit->status.enabled == kLocked)
    return acknowledge(fd, request, EPERM);
  if (of_rules) {
    if (size < sizeof(struct audit_rule_data) || size > kMaxRule) return acknowledge(fd, request, EINVAL);
    rule.size = (uint32_t)size;
    memcpy(rule.bytes, data, size);
    problem = request->nlmsg_type == AUDIT_ADD_RULE ? add_rule(audit, &rule) : delete_rule(audit, &rule);
  }
  if (request->nlmsg_type == AUDIT_SET) set_status(audit, data, size);
  acknowledge(fd, request, problem);
  if (request->nlmsg_type == AUDIT_GET) reply(fd, request, AUDIT_GET, &audit->status, sizeof audit->status);
  if (request->nlmsg_type == AUDIT_GET_FEATURE)
    reply(fd, request, AUDIT_GET_FEATURE, &features, sizeof features);
  if (request->nlmsg_type != AUDIT_LIST_RULES) return;
  for (uint32_t i = 0; i < audit->count; ++i)
    reply(fd, request, AUDIT_LIST_RULES, audit->rules[i].bytes, audit->rules[i].size);
  reply(fd, request, NLMSG_DONE, NULL, 0);
}

ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const struct sockaddr* address,
               socklen_t length) {
  static ssize_t (*real)(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  static struct host_audit audit;
  struct nlmsghdr request;
  int file;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "sendto");
  if (!is_ours(fd) || size < sizeof request) return real(fd, bytes, size, flags, address, length);
  memcpy(&request, bytes, sizeof request);
  file = open("/run/host-audit", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || flock(file, LOCK_EX) != 0) return acknowledge(fd, &request, EPERM), (ssize_t)size;
  memset(&audit, 0, sizeof audit);
  audit.status.enabled = 1;
  audit.status.failure = 1;
  audit.status.backlog_limit = 64;
  (void)!pread(file, &audit, sizeof audit, 0);
  receive(fd, &audit, &request, (const char*)bytes + NLMSG_HDRLEN, size - NLMSG_HDRLEN);
  if (changes(request.nlmsg_type)) (void)!pwrite(file, &audit, sizeof audit, 0);
  close(file);
  return (ssize_t)size;
}

ssize_t recvfrom(int fd, void* bytes, size_t size, int flags, struct sockaddr* address, socklen_t* length) {
  static ssize_t (*real)(int, void*, size_t, int, struct sockaddr*, socklen_t*);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t got;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "recvfrom");
  if (!is_ours(fd)) return real(fd, bytes, size, flags, address, length);
  got = real(fd, bytes, size, flags, NULL, NULL);
  if (address != NULL && length != NULL && *length >= sizeof kernel) {
    memcpy(address, &kernel, sizeof kernel);
    *length = sizeof kernel;
  }
  return got;
}
