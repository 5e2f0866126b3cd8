// SPDX-License-Identifier: Apache-2.0
#include "sensor/audit_provider.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace auditshift::sensor {
namespace {

// Room for a record: MAX_AUDIT_MESSAGE_LENGTH is 8970 (audit_logging.h of audit-userspace).
constexpr std::size_t kDatagramBytes = 16384;
constexpr int kReceiveBufferBytes = 16 << 20;
constexpr int kDatagramsPerPoll = 4096;
constexpr int kBatch = 256;
constexpr int kStatusMs = 1000;

base::Result<base::Fd> open_socket(std::uint32_t groups) {
  base::Fd socket(::socket(PF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT));
  if (!socket) return base::Error::from_errno(errno, "audit stream");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    auto error = base::Error::from_errno(errno, "audit stream");
    if (error.code() == base::Errc::permission) return std::move(error).with_hint("CAP_AUDIT_READ is needed");
    return error;
  }
  return socket;
}

/// The audit system's `enabled`; nothing when it does not say, for lack of CAP_AUDIT_CONTROL for example.
std::optional<std::uint32_t> audit_enabled() {
  const auto socket = open_socket(0);
  if (!socket.ok()) return std::nullopt;
  nlmsghdr request{};
  request.nlmsg_len = sizeof request;
  request.nlmsg_type = AUDIT_GET;
  request.nlmsg_flags = NLM_F_REQUEST;
  if (::send(socket->get(), &request, sizeof request, 0) != static_cast<ssize_t>(sizeof request))
    return std::nullopt;
  pollfd readable{socket->get(), POLLIN, 0};
  if (::poll(&readable, 1, kStatusMs) != 1) return std::nullopt;
  struct {
    nlmsghdr header;
    audit_status status;
  } answer{};
  const ssize_t got = ::recv(socket->get(), &answer, sizeof answer, MSG_DONTWAIT);
  constexpr std::size_t kThroughEnabled = offsetof(audit_status, failure);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr) + kThroughEnabled) || answer.header.nlmsg_type != AUDIT_GET)
    return std::nullopt;
  return answer.status.enabled;
}

}  // namespace

AuditProvider::AuditProvider(const base::Clock& clock, bool unknown_calls)
    : clock_(&clock),
      buffer_(std::make_unique<char[]>(kDatagramBytes)),
      assembler_([this](const AuditEvent& audit) {
        const Event* event = decoder_.decode(audit);
        if (event == nullptr) {
          ++passed_over_;
          return;
        }
        ++handed_;
        consumer_->consume(*event);
      }) {
  decoder_.tell_unknown_calls(unknown_calls);
}

AuditProvider::~AuditProvider() = default;

base::Result<void> AuditProvider::start() {
  AUDITSHIFT_TRY(socket, open_socket(1U << (AUDIT_NLGRP_READLOG - 1)));
  if (audit_enabled() == 0U)
    return base::Error(base::Errc::unsupported, "audit stream: the audit system is switched off (enabled 0)")
        .with_hint("auditctl -e 1");
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes,
                   sizeof kReceiveBufferBytes) != 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  socket_ = std::move(socket);
  return {};
}

base::Result<std::size_t> AuditProvider::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (!socket_) return base::Error(base::Errc::invalid, "audit stream: not started");
  pollfd readable{socket_.get(), POLLIN, 0};
  ::poll(&readable, 1, static_cast<int>(timeout.count()));
  decoder_.set_boot_offset(clock_->now().time_since_epoch().count() - clock_->since_boot().count());
  consumer_ = &consumer;
  handed_ = 0;
  for (int i = 1; i <= kDatagramsPerPoll; ++i) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const ssize_t got = ::recvfrom(socket_.get(), buffer_.get(), kDatagramBytes, MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&sender), &length);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) break;
      if (errno != ENOBUFS) return base::Error::from_errno(errno, "audit stream");
      ++overruns_;
      continue;
    }
    // Only the kernel has port 0; anybody may send to a netlink socket.
    if (sender.nl_pid == 0) receive({buffer_.get(), static_cast<std::size_t>(got)});
    if (i % kBatch == 0) consumer.end_of_batch();
  }
  assembler_.expire(clock_->since_boot());
  consumer.end_of_batch();
  return handed_;
}

void AuditProvider::receive(std::string_view datagram) {
  // One record per datagram. nlmsg_len is not to be trusted: some kernels leave the header out of it.
  nlmsghdr header{};
  if (datagram.size() < NLMSG_HDRLEN) {
    ++malformed_;
    return;
  }
  std::memcpy(&header, datagram.data(), sizeof header);
  std::string_view text = datagram.substr(NLMSG_HDRLEN);
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.remove_suffix(1);
  ++records_;
  if (!assembler_.add(header.nlmsg_type, text, clock_->since_boot())) ++malformed_;
}

std::vector<DropCounter> AuditProvider::drops() const {
  return {{"audit stream overrun", overruns_, {}},
          {"audit event without its end", assembler_.incomplete(), {}},
          {"audit record too many for an event", assembler_.cut(), {}},
          {"record not understood", malformed_, {}}};
}

KindSet AuditProvider::kinds() const {
  KindSet kinds = KindSet::all();
  for (const EventKind untold : {EventKind::running, EventKind::name, EventKind::core_dump, EventKind::loss})
    kinds.erase(untold);
  return kinds;
}

ProviderDescription AuditProvider::describe() const {
  return {"auditd",
          "",
          {{"source", "audit multicast group"},
           {"records_read", std::to_string(records_)},
           {"events_passed_over", std::to_string(passed_over_)}}};
}

}  // namespace auditshift::sensor
