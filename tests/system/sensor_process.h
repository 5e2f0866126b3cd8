// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/json.h"

namespace auditshift::sensor {

/// The real daemon, run with its files in a directory of its own. Killed and removed at the end.
class SensorProcess {
 public:
  SensorProcess();
  ~SensorProcess();
  SensorProcess(const SensorProcess&) = delete;
  SensorProcess& operator=(const SensorProcess&) = delete;

  /// Starts it and waits, as a service manager does, for READY=1. False when it ended before; see log().
  bool start(const std::vector<std::string>& arguments);
  /// Sends a signal and waits for the end. The exit code, or -signal.
  int stop(int signal);
  pid_t pid() const { return pid_; }

  std::string file(const std::string& name) const { return directory_ + "/" + name; }
  std::string socket() const { return file("sensord.sock"); }
  std::string output() const { return output_; }
  void set_output(std::string path) { output_ = std::move(path); }
  /// Where the kernel side is pinned; empty, the default: nowhere.
  void set_pins(std::string directory) { pins_ = std::move(directory); }
  std::string log() const;
  /// Messages the service manager got so far.
  const std::string& notifications() const { return notifications_; }
  void collect_notifications();

  base::Json ask(const base::Json& request);
  /// The events written so far whose lines contain the marker: on a busy host there may be millions of
  /// others. Fails the test when such a line is no JSON.
  std::vector<base::Json> events(const std::string& marker = "") const;
  /// Waits until an event whose line holds `marker` satisfies `wanted`, at most twenty seconds; null when
  /// none came. The marker spares parsing what other processes of a busy host do meanwhile.
  base::Json wait_for(const std::string& marker, const std::function<bool(const base::Json&)>& wanted) const;

 private:
  std::string directory_;
  std::string output_;
  std::string pins_;
  base::Fd notify_;
  std::string notifications_;
  pid_t pid_ = -1;
};

/// Empty when the provider works here, else why not.
std::string obstacle(const std::string& provider);

/// Runs a program and waits for its end. Its pid.
pid_t run_program(const std::vector<std::string>& arguments);

}  // namespace auditshift::sensor
