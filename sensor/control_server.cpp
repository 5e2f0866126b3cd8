// SPDX-License-Identifier: Apache-2.0
#include "sensor/control_server.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace auditshift::sensor {
namespace {

constexpr std::size_t kLineLimit = std::size_t{64} << 10;
constexpr std::size_t kConnectionLimit = 64;
constexpr int kAnswerMs = 1000;

}  // namespace

void ControlPeer::send(const base::Json& answer) {
  const std::string text = base::dump_json(answer, base::JsonStyle::compact);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (errno == EINTR || (errno == EAGAIN && ::poll(&writable, 1, kAnswerMs) == 1)) continue;
    return;
  }
}

void ControlPeer::reply(const base::Json& result) {
  send({{"ok", true}, {"result", result}});
  socket_.reset();
}

void ControlPeer::fail(const base::Error& error) {
  send({{"ok", false}, {"error", error.message()}, {"hint", error.hint()}});
  socket_.reset();
}

base::Fd ControlPeer::release() {
  send({{"ok", true}});
  return std::move(socket_);
}

ControlServer::ControlServer(UnixListener listener, base::Fd epoll, Handler handler)
    : listener_(std::move(listener)), epoll_(std::move(epoll)), handler_(std::move(handler)) {}

base::Result<ControlServer> ControlServer::open(const std::string& path, Handler handler) {
  AUDITSHIFT_TRY(listener, UnixListener::open(path));
  base::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = nullptr;  // the listener
  if (!epoll || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.descriptor(), &interest) != 0)
    return base::Error::from_errno(errno, path);
  return ControlServer(std::move(listener), std::move(epoll), std::move(handler));
}

void ControlServer::accept_all() {
  while (true) {
    auto peer = listener_.accept();
    if (!peer.ok()) {
      if (peer.error().code() == base::Errc::busy) return;
      spdlog::warn("{}", peer.error().message());
      if (peer.error().code() == base::Errc::permission) continue;
      return;
    }
    if (connections_.size() >= kConnectionLimit) {
      ControlPeer(std::move(*peer)).fail(base::Error(base::Errc::busy, "too many connections"));
      continue;
    }
    Connection& connection = connections_.emplace_back();
    connection.socket = std::move(*peer);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.ptr = &connection;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &interest) != 0)
      connections_.pop_back();
  }
}

bool ControlServer::receive(Connection& connection) {
  std::array<char, 4096> bytes{};
  const ssize_t got = ::recv(connection.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  connection.line.append(bytes.data(), static_cast<std::size_t>(got));
  const std::size_t end = connection.line.find('\n');
  if (end == std::string::npos) {
    if (connection.line.size() <= kLineLimit) return true;
    ControlPeer(std::move(connection.socket))
        .fail(base::Error(base::Errc::too_large, "the request is too long"));
    return false;
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
  handle(std::string_view(connection.line).substr(0, end), std::move(connection.socket));
  return false;
}

void ControlServer::handle(std::string_view line, base::Fd socket) {
  ControlPeer peer(std::move(socket));
  const auto request = base::parse_json(line, "request");
  if (!request.ok()) return peer.fail(request.error());
  if (!request->is_object() || !request->contains("request") || !(*request)["request"].is_string())
    return peer.fail(base::Error(base::Errc::invalid, "a request is an object with the text \"request\""));
  handler_(*request, std::move(peer));
}

void ControlServer::service() {
  std::array<epoll_event, 16> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), 0);
  for (int i = 0; i < count; ++i) {
    auto* connection = static_cast<Connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
    if (connection == nullptr) {
      accept_all();
    } else if (!receive(*connection)) {
      connections_.remove_if([&](const Connection& candidate) { return &candidate == connection; });
    }
  }
}

}  // namespace auditshift::sensor
