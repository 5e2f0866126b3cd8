// SPDX-License-Identifier: Apache-2.0
#include "sensor/socket_address.h"

#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace auditshift::sensor {
namespace {

/// As much of a structure as there is, the rest zero.
template <class T>
T copy_of(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

void decode_unix(std::string_view bytes, Address& address) {
  address.family = AddressFamily::unix_socket;
  std::string_view path = bytes.substr(std::min(bytes.size(), sizeof(sa_family_t)));
  if (path.starts_with('\0')) {  // abstract: all bytes count (unix(7))
    address.abstract_name = true;
    address.path = path.substr(1);
  } else {
    address.path = path.substr(0, path.find('\0'));
  }
}

}  // namespace

Address decode_address(std::string_view bytes, bool truncated) {
  Address address;
  address.truncated = truncated;
  if (bytes.size() < sizeof(sa_family_t)) return address;
  address.raw_family = copy_of<sa_family_t>(bytes);
  address.family = AddressFamily::other;
  switch (address.raw_family) {
    case AF_UNIX:
      decode_unix(bytes, address);
      break;
    case AF_INET: {
      const auto raw = copy_of<sockaddr_in>(bytes);
      address.family = AddressFamily::ipv4;
      address.port = ntohs(raw.sin_port);
      std::memcpy(address.bytes.data(), &raw.sin_addr, sizeof raw.sin_addr);
      break;
    }
    case AF_INET6: {
      const auto raw = copy_of<sockaddr_in6>(bytes);
      address.family = AddressFamily::ipv6;
      address.port = ntohs(raw.sin6_port);
      address.scope = raw.sin6_scope_id;
      std::memcpy(address.bytes.data(), &raw.sin6_addr, sizeof raw.sin6_addr);
      break;
    }
    case AF_NETLINK:
      address.family = AddressFamily::netlink;
      address.scope = copy_of<sockaddr_nl>(bytes).nl_pid;
      break;
    case AF_PACKET:
      address.family = AddressFamily::packet;
      address.scope = static_cast<std::uint32_t>(copy_of<sockaddr_ll>(bytes).sll_ifindex);
      break;
    default:
      break;
  }
  return address;
}

}  // namespace auditshift::sensor
