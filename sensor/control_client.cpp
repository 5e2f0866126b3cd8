// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/ownership.h"
#include "sensor/control_server.h"

namespace auditshift::sensor {
namespace {

constexpr std::size_t kLongestAnswer = std::size_t{64} << 20;

base::Result<base::Fd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return base::Error(base::Errc::invalid, path + ": too long for the name of a socket");
  std::memcpy(address.sun_path, path.data(), path.size());
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return base::Error::from_errno(errno, path);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    ucred listener{};
    socklen_t length = sizeof listener;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &listener, &length) != 0)
      return base::Error::from_errno(errno, path);
    if (!base::is_trusted_owner(listener.uid))
      return base::Error(base::Errc::invalid, path + ": user " + std::to_string(listener.uid) +
                                                  " listens there, which is not the sensor");
    return socket;
  }
  if (errno == ENOENT || errno == ECONNREFUSED)
    return base::Error(base::Errc::not_found, "the sensor does not run (nobody listens on " + path + ")")
        .with_hint("systemctl start auditshift-sensord");
  return base::Error::from_errno(errno, path);
}

/// One line, byte by byte, so that nothing of a stream behind it is taken.
base::Result<std::string> read_line(int fd, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string line;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd readable{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&readable, 1, static_cast<int>(left)) == 0)
      return base::Error(base::Errc::timeout, "the sensor did not answer in time");
    char c = 0;
    const ssize_t got = ::recv(fd, &c, 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return base::Error(base::Errc::io, "the sensor ended the connection without an answer");
    if (c == '\n') return line;
    if (line.size() == kLongestAnswer) return base::Error(base::Errc::too_large, "the answer does not end");
    line += c;
  }
}

base::Result<base::Json> exchange(int fd, const std::string& path, const base::Json& request,
                                  std::chrono::milliseconds timeout) {
  const std::string question = base::dump_json(request, base::JsonStyle::compact);
  if (::send(fd, question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
    return base::Error::from_errno(errno, path + ": cannot ask the sensor");
  AUDITSHIFT_TRY(line, read_line(fd, timeout).context(path));
  AUDITSHIFT_TRY(answer, base::parse_json(line, "answer"));
  const auto member = [&answer](const char* name) {
    return answer.is_object() && answer.contains(name) ? answer[name] : base::Json();
  };
  const auto text = [&member](const char* name, const char* otherwise) {
    const base::Json value = member(name);
    return value.is_string() ? value.get<std::string>() : otherwise;
  };
  if (member("ok") == true) return member("result");
  return base::Error(base::Errc::io, text("error", "no answer")).with_hint(text("hint", ""));
}

}  // namespace

base::Result<base::Json> ask_sensor(const std::string& path, const base::Json& request,
                                    std::chrono::milliseconds timeout) {
  AUDITSHIFT_TRY(socket, connect_to(path));
  return exchange(socket.get(), path, request, timeout);
}

base::Result<base::Fd> open_sensor_stream(const std::string& path, const base::Json& request,
                                          std::chrono::milliseconds timeout) {
  AUDITSHIFT_TRY(socket, connect_to(path));
  AUDITSHIFT_TRY_VOID(exchange(socket.get(), path, request, timeout));
  return std::move(socket);
}

}  // namespace auditshift::sensor
