// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"
#include "sensor/unix_listener.h"

namespace auditshift::sensor {

/// Where the sensor of a host listens unless told otherwise.
inline constexpr const char* kControlSocket = "/run/auditshift/sensord.sock";

/// One who asked something and waits for the answer. Exactly one of reply(), fail() and release() is called,
/// now or later.
class ControlPeer {
 public:
  explicit ControlPeer(base::Fd socket) : socket_(std::move(socket)) {}

  /// Sends {"ok":true,"result":…} and ends the connection. A peer that does not take it within a second gets
  /// no more.
  void reply(const base::Json& result);
  /// Sends {"ok":false,"error":…,"hint":…}.
  void fail(const base::Error& error);
  /// Sends {"ok":true} and gives the connection away, for a stream of events.
  base::Fd release();

 private:
  void send(const base::Json& answer);

  base::Fd socket_;
};

/// The sensor's control socket: a connection carries one line of JSON, an object with "request", and gets one
/// line of JSON back. For root and this process's user only.
class ControlServer {
 public:
  using Handler = std::function<void(const base::Json& request, ControlPeer peer)>;

  /// Errc::busy when another sensor listens on `path`.
  static base::Result<ControlServer> open(const std::string& path, Handler handler);

  /// Readable when service() has work.
  int descriptor() const { return epoll_.get(); }
  void service();

 private:
  struct Connection {
    base::Fd socket;
    std::string line;
  };

  ControlServer(UnixListener listener, base::Fd epoll, Handler handler);

  void accept_all();
  /// False when the connection is done with.
  bool receive(Connection& connection);
  void handle(std::string_view line, base::Fd socket);

  UnixListener listener_;
  base::Fd epoll_;
  Handler handler_;
  std::list<Connection> connections_;  // a list: epoll holds their addresses
};

/// The other end: asks the sensor at `path` one thing and waits for the answer, which is the "result".
/// Errors: Errc::not_found when no sensor runs, or what the sensor answered.
base::Result<base::Json> ask_sensor(const std::string& path, const base::Json& request,
                                    std::chrono::milliseconds timeout);

/// Asks and keeps the connection, for requests that answer with a stream.
base::Result<base::Fd> open_sensor_stream(const std::string& path, const base::Json& request,
                                          std::chrono::milliseconds timeout);

}  // namespace auditshift::sensor
