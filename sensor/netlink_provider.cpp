// SPDX-License-Identifier: Apache-2.0
#include "sensor/netlink_provider.h"

#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <numeric>
#include <utility>

namespace auditshift::sensor {
namespace {

constexpr std::size_t kMessages = 64;        // datagrams per system call
constexpr std::size_t kMessageBytes = 1024;  // a message takes 76; the connector allows no more than a page
constexpr int kRounds = 64;                  // system calls per poll(), so that the caller gets its turn
constexpr std::uint32_t kListen = 1;         // PROC_CN_MCAST_LISTEN
constexpr std::uint32_t kIgnore = 2;         // PROC_CN_MCAST_IGNORE
constexpr int kAcknowledgementMs = 2000;
constexpr std::size_t kCpuLimit = 65'536;

std::int64_t now_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class CountingConsumer final : public Consumer {
 public:
  explicit CountingConsumer(Consumer& next) : next_(next) {}
  void consume(const Event& event) override {
    ++count_;
    next_.consume(event);
  }
  void end_of_batch() override { next_.end_of_batch(); }
  std::size_t count() const { return count_; }

 private:
  Consumer& next_;
  std::size_t count_ = 0;
};

}  // namespace

struct NetlinkProvider::Buffers {
  std::array<std::array<std::byte, kMessageBytes>, kMessages> bytes;
  std::array<iovec, kMessages> vectors;
  std::array<sockaddr_nl, kMessages> senders;
  std::array<mmsghdr, kMessages> headers;

  void prepare() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      vectors[i] = {bytes[i].data(), bytes[i].size()};
      headers[i] = {};
      headers[i].msg_hdr.msg_name = &senders[i];
      headers[i].msg_hdr.msg_namelen = sizeof senders[i];
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

NetlinkProvider::NetlinkProvider(const base::Sysroot& host, const base::Clock& clock, NetlinkOptions options)
    : clock_(&clock),
      options_(options),
      reader_(host, ::sysconf(_SC_CLK_TCK)),
      buffers_(std::make_unique<Buffers>()) {}

NetlinkProvider::~NetlinkProvider() { stop(); }

base::Result<void> NetlinkProvider::start() {
  base::Fd socket(::socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!socket) return base::Error::from_errno(errno, "process connector");
  // Beyond the system's limit where that is allowed, up to it elsewhere.
  const int bytes = options_.receive_buffer_bytes;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return base::Error::from_errno(errno, "process connector");
  socket_ = std::move(socket);
  if (auto subscribed = subscribe(true); !subscribed.ok()) {
    socket_.reset();
    return std::move(subscribed).error();
  }
  if (auto acknowledged = await_acknowledgement(); !acknowledged.ok()) {
    stop();
    return std::move(acknowledged).error();
  }
  table_.emplace(reader_, options_.threads);
  last_sequence_.clear();
  synchronise_ = true;
  return {};
}

base::Result<void> NetlinkProvider::subscribe(bool listen) {
  nlmsghdr header{};
  cn_msg message{};  // without its data
  const std::uint32_t operation = listen ? kListen : kIgnore;
  std::array<std::byte, NLMSG_HDRLEN + sizeof message + sizeof operation> request{};
  header.nlmsg_len = request.size();
  header.nlmsg_type = NLMSG_DONE;
  header.nlmsg_pid = static_cast<std::uint32_t>(::getpid());
  message.id = {CN_IDX_PROC, CN_VAL_PROC};
  message.len = sizeof operation;
  std::memcpy(request.data(), &header, sizeof header);
  std::memcpy(request.data() + NLMSG_HDRLEN, &message, sizeof message);
  std::memcpy(request.data() + NLMSG_HDRLEN + sizeof message, &operation, sizeof operation);
  if (::send(socket_.get(), request.data(), request.size(), 0) < 0)
    return base::Error::from_errno(errno, "process connector");
  return {};
}

base::Result<void> NetlinkProvider::await_acknowledgement() {
  const std::int64_t deadline = now_ns(CLOCK_MONOTONIC) + std::int64_t{kAcknowledgementMs} * 1'000'000;
  while (now_ns(CLOCK_MONOTONIC) < deadline) {
    pollfd readable{socket_.get(), POLLIN, 0};
    ::poll(&readable, 1, 100);
    std::array<std::byte, kMessageBytes> bytes{};
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) continue;
    ProcDatagram datagram(std::span<const std::byte>(bytes).first(static_cast<std::size_t>(got)));
    for (ProcMessage message; datagram.next(message);) {
      // Events before the acknowledgement need no look: the table is read from /proc after it.
      if (message.what != ProcMessage::What::acknowledgement) continue;
      if (message.first == 0) return {};
      return base::Error::from_errno(static_cast<int>(message.first), "process connector");
    }
  }
  return base::Error(base::Errc::unsupported,
                     "process connector: the kernel did not confirm the subscription (it does so only in the "
                     "initial pid, user and network namespaces, and when built with CONFIG_PROC_EVENTS)");
}

void NetlinkProvider::stop() {
  if (!socket_) return;
  // The kernel counts its listeners; closing alone would leave it sending to nobody. Errors change nothing.
  (void)subscribe(false).ok();
  socket_.reset();
  table_.reset();
}

base::Result<std::size_t> NetlinkProvider::poll(std::chrono::milliseconds timeout, Consumer& consumer) {
  if (!socket_) return base::Error(base::Errc::invalid, "process connector: not started");
  CountingConsumer counting(consumer);
  if (synchronise_) synchronise(counting);
  pollfd readable{socket_.get(), POLLIN, 0};
  ::poll(&readable, 1, static_cast<int>(timeout.count()));
  const auto monotonic = [] { return now_ns(CLOCK_MONOTONIC); };
  clocks_.to_boot_ns = base::clock_difference(monotonic, [&] { return clock_->since_boot().count(); });
  clocks_.to_wall_ns =
      base::clock_difference(monotonic, [&] { return clock_->now().time_since_epoch().count(); });
  for (int round = 0; round < kRounds; ++round) {
    AUDITSHIFT_TRY(more, receive(counting));
    if (!more) break;
    counting.end_of_batch();
  }
  if (synchronise_) synchronise(counting);
  return counting.count();
}

base::Result<bool> NetlinkProvider::receive(Consumer& consumer) {
  buffers_->prepare();
  const int count = ::recvmmsg(socket_.get(), buffers_->headers.data(), kMessages, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return false;
    if (errno != ENOBUFS) return base::Error::from_errno(errno, "process connector");
    ++overruns_;
    synchronise_ = true;
    return true;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    // Only the kernel has port 0; anybody may send to a netlink socket.
    if (buffers_->senders[i].nl_pid != 0) continue;
    ProcDatagram datagram(std::span<const std::byte>(buffers_->bytes[i]).first(buffers_->headers[i].msg_len));
    for (ProcMessage message; datagram.next(message);) accept(message, consumer);
    if (datagram.malformed()) ++malformed_;
  }
  return true;
}

void NetlinkProvider::accept(const ProcMessage& message, Consumer& consumer) {
  if (message.what == ProcMessage::What::acknowledgement) return;
  if (message.cpu < kCpuLimit) {
    if (message.cpu >= last_sequence_.size()) last_sequence_.resize(message.cpu + 1);
    if (message.cpu >= lost_.size()) lost_.resize(message.cpu + 1);
    std::optional<std::uint32_t>& last = last_sequence_[message.cpu];
    // Unsigned, so that it holds across the wrap of the kernel's counter.
    if (last) lost_[message.cpu] += static_cast<std::uint32_t>(message.sequence - *last - 1);
    last = message.sequence;
  }
  table_->apply(message, clocks_, consumer);
}

void NetlinkProvider::synchronise(Consumer& consumer) {
  synchronise_ = false;
  table_->synchronise(static_cast<std::uint64_t>(clock_->since_boot().count()),
                      clock_->now().time_since_epoch().count(), consumer);
}

std::vector<DropCounter> NetlinkProvider::drops() const {
  return {
      {"netlink receive buffer full", std::accumulate(lost_.begin(), lost_.end(), std::uint64_t{0}), lost_},
      {"message not understood", malformed_, {}}};
}

KindSet NetlinkProvider::kinds() const {
  return {EventKind::exec,       EventKind::fork,      EventKind::exit,   EventKind::running,
          EventKind::session,    EventKind::name,      EventKind::ptrace, EventKind::core_dump,
          EventKind::uid_change, EventKind::gid_change};
}

ProviderDescription NetlinkProvider::describe() const {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  if (socket_) ::getsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &length);
  return {"netlink",
          "",
          {{"source", "process connector"},
           {"receive buffer bytes", std::to_string(bytes)},
           {"receive buffer overruns", std::to_string(overruns_)},
           {"processes known", std::to_string(table_ ? table_->size() : 0)}}};
}

}  // namespace auditshift::sensor
