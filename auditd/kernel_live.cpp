// SPDX-License-Identifier: Apache-2.0
#include <libaudit.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "auditd/kernel.h"
#include "auditd/normalize.h"
#include "base/fd.h"

namespace auditshift::auditd {
namespace {

using Clock = std::chrono::steady_clock;
// As long as auditctl waits for an answer.
constexpr std::chrono::seconds kPatience{4};

struct Problem {
  AuditState state = AuditState::unknown;
  std::string reason;
};

Problem explain(int number) {
  switch (number) {
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
    case EINVAL:
      return {AuditState::absent, "this kernel has no audit system, or audit=0 is on its command line"};
    case EPERM:
    case EACCES:
      return {AuditState::unknown,
              "reading the audit system needs CAP_AUDIT_CONTROL in the initial user and pid namespaces; run "
              "as root "
              "on the host itself"};
    case ECONNREFUSED:
      return {AuditState::unknown,
              "the audit system cannot be reached from a container; run on the host itself"};
    case ETIMEDOUT:
      return {AuditState::unknown, "the kernel did not answer in time; try again"};
    default:
      return {AuditState::unknown, std::string("asking the kernel failed: ") + std::strerror(number)};
  }
}

/// One connection to the kernel's audit system, one request at a time.
class Connection {
 public:
  Connection() {
    set_aumessage_mode(MSG_QUIET, DBG_NO);  // libaudit would write to stderr
    errno = 0;
    fd_.reset(audit_open());
    if (!fd_) error_ = errno != 0 ? errno : EPROTONOSUPPORT;
  }

  int error() const { return error_; }

  /// Sends with `request` and gives each reply to `take` until it returns false, the kernel says done, or an
  /// error comes. Returns 0 or an errno value.
  template <class Request, class Take>
  int ask(Request request, Take take) {
    if (!fd_) return error_;
    const int sequence = request(fd_.get());
    if (sequence <= 0) return sequence < 0 ? -sequence : EIO;
    const Clock::time_point end = Clock::now() + kPatience;
    audit_reply reply{};
    for (;;) {
      if (const int problem = receive(reply, end); problem != 0) return problem;
      if (reply.msg.nlh.nlmsg_seq != static_cast<std::uint32_t>(sequence)) continue;
      if (reply.type == NLMSG_DONE) return 0;
      if (reply.type == NLMSG_ERROR) {
        if (reply.error->error != 0) return -reply.error->error;
        continue;  // the acknowledgement
      }
      if (!take(reply)) return 0;
    }
  }

 private:
  int receive(audit_reply& reply, Clock::time_point end) {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      if (left.count() <= 0) return ETIMEDOUT;
      pollfd waiting{fd_.get(), POLLIN, 0};
      const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
      if (ready == 0) return ETIMEDOUT;
      if (ready < 0 && errno != EINTR) return errno;
      if (ready < 0) continue;
      const int length = audit_get_reply(fd_.get(), &reply, GET_REPLY_NONBLOCKING, 0);
      if (length > 0) return 0;
      if (length != -EAGAIN && length != -EINTR && length != 0) return -length;
    }
  }

  base::Fd fd_;
  int error_ = 0;
};

std::size_t payload_size(const audit_reply& reply) {
  return reply.nlh->nlmsg_len >= NLMSG_HDRLEN ? reply.nlh->nlmsg_len - NLMSG_HDRLEN : 0;
}

/// Copies what the kernel sent of its status; an older kernel sends less.
audit_status copy_status(const audit_reply& reply) {
  audit_status status{};
  std::memcpy(&status, reply.status, std::min(payload_size(reply), sizeof status));
  return status;
}

}  // namespace

AuditStatus LiveKernelAudit::status() {
  AuditStatus status;
  Connection connection;
  bool answered = false;
  const int problem = connection.ask(audit_request_status, [&](const audit_reply& reply) {
    if (reply.type != AUDIT_GET) return true;
    const audit_status raw = copy_status(reply);
    status.enabled = raw.enabled;
    status.failure = raw.failure;
    status.pid = raw.pid;
    status.rate_limit = raw.rate_limit;
    status.backlog_limit = raw.backlog_limit;
    status.lost = raw.lost;
    status.backlog = raw.backlog;
    if (payload_size(reply) > offsetof(audit_status, backlog_wait_time)) {
      status.backlog_wait_time = raw.backlog_wait_time;
    }
    if (payload_size(reply) > offsetof(audit_status, backlog_wait_time_actual)) {
      status.backlog_wait_time_actual = raw.backlog_wait_time_actual;
    }
    answered = true;
    return false;
  });
  if (!answered) {
    const Problem reason = explain(problem != 0 ? problem : ETIMEDOUT);
    status.state = reason.state;
    status.reason = reason.reason;
    return status;
  }
  status.state = *status.enabled == 0   ? AuditState::disabled
                 : *status.enabled == 2 ? AuditState::immutable
                                        : AuditState::changeable;
  return status;
}

LiveRules LiveKernelAudit::rules() {
  LiveRules live;
  Connection connection;
  std::optional<base::Error> malformed;
  const int problem = connection.ask(audit_request_rules_list_data, [&](const audit_reply& reply) {
    if (reply.type != AUDIT_LIST_RULES) return true;
    base::Result<Rule> rule = from_kernel(reply.ruledata, payload_size(reply));
    if (!rule.ok()) {
      malformed = rule.error();
      return false;
    }
    rule->text = normalize(*rule, options_.version, options_.machine);
    live.rules.push_back(std::move(*rule));
    return true;
  });
  if (malformed || problem != 0) {
    live.rules.clear();
    live.reason = malformed ? malformed->message() : explain(problem).reason;
    return live;
  }
  live.known = true;
  return live;
}

namespace {

/// Sends one rule with `request` (audit_add_rule_data or audit_delete_rule_data), which waits for the
/// kernel's acknowledgement.
base::Result<void> send_rule(const Rule& rule, int (*request)(int, audit_rule_data*, int, int)) {
  set_aumessage_mode(MSG_QUIET, DBG_NO);
  errno = 0;
  const base::Fd connection(audit_open());
  if (!connection) return base::Error::from_errno(errno != 0 ? errno : EPROTONOSUPPORT, "audit system");
  std::vector<unsigned char> bytes = to_kernel(rule);
  auto* data = reinterpret_cast<audit_rule_data*>(bytes.data());
  const int answer =
      request(connection.get(), data, static_cast<int>(data->flags), static_cast<int>(data->action));
  if (answer > 0) return {};
  const int number = answer < 0 ? -answer : EIO;
  base::Error error = base::Error::from_errno(number, "audit rule " + rule.text);
  if (number == EPERM)
    return std::move(error).with_hint("changing audit rules needs root; in immutable mode, a reboot");
  return error;
}

}  // namespace

base::Result<void> LiveKernelAudit::add(const Rule& rule) { return send_rule(rule, audit_add_rule_data); }

base::Result<void> LiveKernelAudit::remove(const Rule& rule) {
  return send_rule(rule, audit_delete_rule_data);
}

base::Result<void> LiveKernelAudit::set_rate_limit(std::uint32_t records) {
  set_aumessage_mode(MSG_QUIET, DBG_NO);
  errno = 0;
  const base::Fd connection(audit_open());
  if (!connection) return base::Error::from_errno(errno != 0 ? errno : EPROTONOSUPPORT, "audit system");
  const int answer = audit_set_rate_limit(connection.get(), records);
  if (answer > 0) return {};
  return base::Error::from_errno(answer < 0 ? -answer : EIO, "audit rate limit " + std::to_string(records));
}

}  // namespace auditshift::auditd
