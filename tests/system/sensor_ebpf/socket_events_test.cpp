// SPDX-License-Identifier: Apache-2.0
// Sockets: both ends, as far as there are two.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "tests/system/sensor_ebpf/harness.h"

namespace auditshift::sensor::testing_support {
namespace {

using namespace std::string_view_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_in6 loopback6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  return address;
}

template <class Name>
const sockaddr* raw(const Name& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

template <class Name>
std::uint16_t port_of(int fd, Name address) {
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  if constexpr (std::is_same_v<Name, sockaddr_in>)
    return ntohs(address.sin_port);
  else
    return ntohs(address.sin6_port);
}

/// bind to port 0, listen, connect, accept: results are the server's and the client's port.
template <class Name>
void talk(Self& self, Name address) {
  const int family = raw(address)->sa_family;
  const int server = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bind(server, raw(address), sizeof address);
  listen(server, 17);
  const std::uint16_t port = port_of(server, address);
  const int client = socket(family, SOCK_STREAM, 0);
  if constexpr (std::is_same_v<Name, sockaddr_in>)
    address.sin_port = htons(port);
  else
    address.sin6_port = htons(port);
  connect(client, raw(address), sizeof address);
  const int accepted = accept4(server, nullptr, nullptr, SOCK_NONBLOCK);
  self.results = {port, port_of(client, address), server, client, accepted};
}

class SocketEvents : public SensorSuite<Everything> {
 protected:
  void expect_conversation(const Events& events, int family, AddressFamily model_family,
                           const std::array<std::uint8_t, 16>& loopback_address) {
    const Self& self = sensor_->self();
    const auto server_port = static_cast<std::uint16_t>(self.results[0]);
    const auto client_port = static_cast<std::uint16_t>(self.results[1]);
    const auto expect_end = [&](const Address& end, std::uint16_t port) {
      EXPECT_EQ(end.family, model_family);
      EXPECT_EQ(end.raw_family, family);
      EXPECT_EQ(end.bytes, loopback_address);
      EXPECT_EQ(end.port, port);
    };
    if (is_legacy()) {  // what the caller's memory has: the addresses it gave
      EXPECT_EQ(only(events, EventKind::bind).socket.local.family, model_family);
      EXPECT_EQ(only(events, EventKind::bind).socket.family, family);
      expect_end(only(events, EventKind::connect).socket.remote, server_port);
      EXPECT_EQ(only(events, EventKind::listen).size, 17U);
      EXPECT_EQ(only(events, EventKind::listen).socket.family, -1) << "not known";
      EXPECT_EQ(only(events, EventKind::accept).descriptor, self.results[4]);
      return;
    }
    for (const EventKind kind : {EventKind::bind, EventKind::listen, EventKind::connect, EventKind::accept}) {
      const Event& event = only(events, kind);
      expect_is(event, self);
      EXPECT_EQ(event.socket.family, family);
      EXPECT_EQ(event.socket.type, SOCK_STREAM);
      EXPECT_EQ(event.socket.protocol, IPPROTO_TCP);
    }
    const Event& bind = only(events, EventKind::bind);
    expect_end(bind.socket.local, server_port);  // the one the kernel chose, not the 0 asked for
    EXPECT_EQ(bind.descriptor, self.results[2]);
    expect_end(only(events, EventKind::listen).socket.local, server_port);
    EXPECT_EQ(only(events, EventKind::listen).size, 17U) << "the backlog";
    const Event& connect = only(events, EventKind::connect);
    expect_end(connect.socket.remote, server_port);
    expect_end(connect.socket.local, client_port);
    EXPECT_EQ(connect.descriptor, self.results[3]);
    const Event& accept = only(events, EventKind::accept);
    expect_end(accept.socket.local, server_port);
    expect_end(accept.socket.remote, client_port);
    EXPECT_EQ(accept.descriptor, self.results[4]);
    EXPECT_EQ(accept.syscall.result, self.results[4]);
    EXPECT_EQ(accept.flags, static_cast<unsigned>(SOCK_NONBLOCK));
  }
};

TEST_F(SocketEvents, Ipv4) {
  const Events events = sensor_->observe([](Self& self) { talk(self, loopback(0)); });
  expect_conversation(events, AF_INET, AddressFamily::ipv4, {127, 0, 0, 1});
}

TEST_F(SocketEvents, Ipv6) {
  const int probe = socket(AF_INET6, SOCK_STREAM, 0);
  const auto address = loopback6(0);
  const bool available = probe >= 0 && bind(probe, raw(address), sizeof address) == 0;
  close(probe);
  if (!available) GTEST_SKIP() << "this host has no IPv6";
  const Events events = sensor_->observe([](Self& self) { talk(self, loopback6(0)); });
  expect_conversation(events, AF_INET6, AddressFamily::ipv6,
                      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

TEST_F(SocketEvents, UnixByPathAndAbstract) {
  const std::string path = directory_ / "socket";
  const Events events = sensor_->observe([&](Self&) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(server, raw(address), sizeof address);
    listen(server, 1);
    connect(client, raw(address), sizeof address);
    close(accept(server, nullptr, nullptr));
    sockaddr_un abstract{};
    abstract.sun_family = AF_UNIX;
    std::memcpy(abstract.sun_path, "\0ab\0c", 5);
    connect(socket(AF_UNIX, SOCK_STREAM, 0), raw(abstract), offsetof(sockaddr_un, sun_path) + 5);
  });
  EXPECT_EQ(only(events, EventKind::bind).socket.local.path, path);
  EXPECT_EQ(only(events, EventKind::bind).socket.family, AF_UNIX);
  if (!is_legacy()) {
    EXPECT_EQ(only(events, EventKind::accept).socket.local.path, path);
  }
  const auto connects = all_of(events, EventKind::connect);
  ASSERT_EQ(connects.size(), 2U);
  EXPECT_EQ(connects[0]->socket.remote.path, path);
  EXPECT_FALSE(connects[0]->socket.remote.abstract_name);
  EXPECT_EQ(connects[1]->socket.remote.path, "ab\0c"sv);
  EXPECT_TRUE(connects[1]->socket.remote.abstract_name);
  EXPECT_EQ(connects[1]->syscall.error(), ECONNREFUSED);
}

TEST_F(SocketEvents, AConnectionThatIsRefusedOrStillOnItsWay) {
  const Events events = sensor_->observe([](Self&) {
    const auto address = loopback(1);
    connect(socket(AF_INET, SOCK_STREAM, 0), raw(address), sizeof address);
    auto nowhere = loopback(9);
    nowhere.sin_addr.s_addr = htonl(0xc0000201);  // 192.0.2.1, for documentation (RFC 5737)
    connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), raw(nowhere), sizeof nowhere);
  });
  const auto connects = all_of(events, EventKind::connect);
  ASSERT_EQ(connects.size(), 2U);
  EXPECT_EQ(connects[0]->syscall.error(), ECONNREFUSED);
  EXPECT_EQ(connects[0]->socket.remote.port, 1);
  EXPECT_EQ(connects[1]->socket.remote.port, 9);
  EXPECT_EQ(connects[1]->socket.remote.bytes[0], 192);
}

TEST_F(SocketEvents, RawAndPacketSockets) {
  const Events events = sensor_->observe([](Self& self) {
    self.results[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    self.results[1] = socket(AF_PACKET, SOCK_DGRAM, 0);
    socket(AF_INET, SOCK_STREAM, 0);
  });
  const auto sockets = all_of(events, EventKind::socket);
  ASSERT_EQ(sockets.size(), 2U) << "an ordinary socket is no news: " << describe(events);
  EXPECT_EQ(sockets[0]->socket.family, AF_INET);
  EXPECT_EQ(sockets[0]->socket.type, SOCK_RAW);
  EXPECT_EQ(sockets[0]->socket.protocol, IPPROTO_ICMP);
  EXPECT_EQ(sockets[0]->descriptor, sensor_->self().results[0]);
  EXPECT_EQ(sockets[1]->socket.family, AF_PACKET);
  expect_is(*sockets[1], sensor_->self());
}

TEST_F(SocketEvents, DatagramsWithAnAddressOfTheirOwn) {
  const Events events = sensor_->observe([](Self&) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const auto address = loopback(9);
    sendto(fd, "abc", 3, 0, raw(address), sizeof address);
    iovec part{const_cast<char*>("abcd"), 4};
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(raw(address));
    message.msg_namelen = sizeof address;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    sendmsg(fd, &message, 0);
    connect(fd, raw(address), sizeof address);
    send(fd, "abc", 3, 0);
    message.msg_name = nullptr;
    sendmsg(fd, &message, 0);
  });
  const auto sends = all_of(events, EventKind::send);
  ASSERT_EQ(sends.size(), 2U) << "connected ones were told by connect: " << describe(events);
  for (const Event* send : sends) {
    EXPECT_EQ(send->socket.remote.port, 9);
    EXPECT_EQ(send->socket.protocol, is_legacy() ? -1 : IPPROTO_UDP);
    EXPECT_EQ(send->socket.local.port != 0, !is_legacy()) << "the port that sending chose";
  }
  EXPECT_EQ(sends[0]->size, 3U);
  EXPECT_EQ(sends[1]->syscall.name, "sendmsg");
}

TEST_F(SocketEvents, SocketOptions) {
  const Events events = sensor_->observe([](Self&) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  });
  const Event& event = only(events, EventKind::set_socket_option);
  EXPECT_EQ(event.level, SOL_SOCKET);
  EXPECT_EQ(event.command, SO_BROADCAST);
  EXPECT_EQ(event.socket.type, is_legacy() ? -1 : SOCK_DGRAM);
}

TEST_F(SocketEvents, OtherFamilies) {
  const Events events = sensor_->observe([](Self&) {
    sockaddr_nl netlink{};
    netlink.nl_family = AF_NETLINK;
    netlink.nl_pid = 4'000'000;
    bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), raw(netlink), sizeof netlink);
  });
  const Event& event = only(events, EventKind::bind);
  EXPECT_EQ(event.socket.local.family, AddressFamily::netlink);
  EXPECT_EQ(event.socket.local.scope, 4'000'000U);
  EXPECT_EQ(event.socket.family, AF_NETLINK);
}

using DefaultSocketEvents = SensorSuite<Defaults>;

TEST_F(DefaultSocketEvents, DatagramsAndOptionsAreLeftOut) {
  const Events events = sensor_->observe([](Self&) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    const auto address = loopback(9);
    sendto(fd, "abc", 3, 0, raw(address), sizeof address);
  });
  EXPECT_EQ(events.size(), 1U) << describe(events);
}

}  // namespace
}  // namespace auditshift::sensor::testing_support
