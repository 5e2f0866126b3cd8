// SPDX-License-Identifier: Apache-2.0
#include "migrate/change/announcer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>

#include "base/fd.h"

namespace auditshift::migrate::change {
namespace {

using base::Error;
using base::Fd;
using base::Result;

struct Kind {
  Announced kind;
  std::string_view id;
  char priority;  ///< syslog(3)
};
constexpr Kind kKinds[] = {
    {Announced::begun, "c9edbd90d45f4dee9ecaacbfeff948b4", '6'},
    {Announced::reboot_awaited, "ef7c3913ce784a99a1e2106268bc3807", '5'},
    {Announced::switched, "dfe9bd1fc6084ae1bd7ecd4742689ed6", '5'},
    {Announced::verification_failed, "97d42a2d342e47329454590acc3d5e9c", '3'},
    {Announced::rolled_back, "9cc1a39b901b43eb93fe2f92cba325a4", '4'},
    {Announced::failed, "b769458a0dd046d0a7fa68934a5cc2e5", '2'},
    {Announced::committed, "b070cad7bc614599b58db1784f3b3e02", '6'},
};

const Kind& find(Announced announced) {
  for (const Kind& kind : kKinds)
    if (kind.kind == announced) return kind;
  return kKinds[0];
}

/// NAME=value, or with a 64-bit little-endian length where the value has lines of its own.
void add_field(std::string& datagram, std::string_view name, std::string_view value) {
  datagram += name;
  if (value.find('\n') == std::string_view::npos) {
    datagram += '=';
  } else {
    datagram += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8)
      datagram += static_cast<char>((static_cast<std::uint64_t>(value.size()) >> shift) & 0xffU);
  }
  datagram += value;
  datagram += '\n';
}

class JournaldAnnouncer final : public Announcer {
 public:
  explicit JournaldAnnouncer(std::string socket) : socket_(std::move(socket)) {}

  Result<void> announce(const Announcement& announcement) override {
    const Kind& kind = find(announcement.kind);
    std::string datagram;
    add_field(datagram, "MESSAGE", announcement.text);
    add_field(datagram, "MESSAGE_ID", kind.id);
    add_field(datagram, "PRIORITY", std::string(1, kind.priority));
    add_field(datagram, "SYSLOG_IDENTIFIER", "auditshift");
    add_field(datagram, "AUDITSHIFT_TRANSACTION", announcement.transaction);
    return send(datagram);
  }

 private:
  Result<void> send(const std::string& datagram) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.size() >= sizeof address.sun_path) return Error::from_errno(ENAMETOOLONG, socket_);
    socket_.copy(address.sun_path, socket_.size());
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) return Error::from_errno(errno, socket_);
    // Never wait for a journald that hangs.
    if (::sendto(fd.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
      return Error::from_errno(errno, socket_);
    return {};
  }

  std::string socket_;
};

}  // namespace

std::string_view message_id(Announced announced) { return find(announced).id; }

std::unique_ptr<Announcer> make_journald_announcer(std::string socket) {
  return std::make_unique<JournaldAnnouncer>(std::move(socket));
}

}  // namespace auditshift::migrate::change
