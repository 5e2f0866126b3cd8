// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace auditshift::cli {

/// --socket PATH: which sensor a verb talks to.
struct SensorOption {
  std::string socket;

  void add_to(CLI::App& app);
  /// The sensor's answer. Errors name the socket and what to do. A sensor at its limits answers late: it
  /// reads a whole ring of events first.
  base::Result<base::Json> ask(const base::Json& request,
                               std::chrono::seconds timeout = std::chrono::seconds(30)) const;
  base::Result<base::Fd> open_stream(const base::Json& request) const;
};

/// As report(), and 77 when this user may not talk to the sensor.
int report_sensor(const base::Error& error);

/// An error unless this is root: "what" says what needs it.
base::Result<void> require_root(const std::string& what);

}  // namespace auditshift::cli
