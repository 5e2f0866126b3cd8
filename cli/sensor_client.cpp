// SPDX-License-Identifier: Apache-2.0
#include "cli/sensor_client.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/context.h"
#include "sensor/control_server.h"

namespace auditshift::cli {
namespace {

template <class T>
base::Result<T> with_advice(base::Result<T> answer) {
  if (answer.ok() || answer.error().code() != base::Errc::permission) return answer;
  return std::move(answer.error()).context("cannot talk to the sensor").with_hint("run this as root");
}

}  // namespace

void SensorOption::add_to(CLI::App& app) {
  socket = sensor::kControlSocket;
  app.add_option("--socket", socket, "control socket of the sensor")
      ->type_name("PATH")
      ->capture_default_str();
}

base::Result<base::Json> SensorOption::ask(const base::Json& request, std::chrono::seconds timeout) const {
  return with_advice(sensor::ask_sensor(socket, request, timeout));
}

base::Result<base::Fd> SensorOption::open_stream(const base::Json& request) const {
  return with_advice(sensor::open_sensor_stream(socket, request, std::chrono::seconds(30)));
}

int report_sensor(const base::Error& error) {
  const int code = report(error);
  return error.code() == base::Errc::permission ? static_cast<int>(kRootNeeded) : code;
}

base::Result<void> require_root(const std::string& what) {
  if (::geteuid() == 0) return {};
  return base::Error(base::Errc::permission, what + " needs root").with_hint("run this as root");
}

}  // namespace auditshift::cli
