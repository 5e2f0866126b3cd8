// SPDX-License-Identifier: Apache-2.0
#include "sensor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace auditshift::sensor {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

ServiceNotifier ServiceNotifier::from_environment() {
  ServiceNotifier notifier;
  const std::string limit = take_variable("WATCHDOG_USEC");
  const std::string pid = take_variable("WATCHDOG_PID");
  if (const auto microseconds = base::parse_decimal(limit);
      microseconds && *microseconds > 0 && (pid.empty() || pid == std::to_string(::getpid())))
    notifier.watchdog_ = std::chrono::microseconds(*microseconds / 2);
  std::string address = take_variable("NOTIFY_SOCKET");
  if (address.size() < 2 || address.size() >= sizeof(sockaddr_un::sun_path)) return notifier;
  if (address[0] != '/' && address[0] != '@') return notifier;
  if (address[0] == '@') address[0] = '\0';
  notifier.address_ = std::move(address);
  notifier.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return notifier;
}

void ServiceNotifier::send(std::string_view lines) const {
  if (!socket_) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  ::sendto(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace auditshift::sensor
