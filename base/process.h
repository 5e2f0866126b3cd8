// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace auditshift::base {

/// A program to run. No shell is involved.
struct Command {
  std::vector<std::string> argv;  ///< argv[0] is an absolute path, or a name found in `path`
  std::string input;              ///< given on standard input
  std::chrono::milliseconds timeout{30'000};
  std::size_t output_limit = std::size_t{16} << 20;  ///< per stream; more is cut and marked
};

/// How a program ended.
struct Completed {
  int exit_code = -1;  ///< valid when signal is 0
  int signal = 0;      ///< the signal that ended it, or 0
  std::string output;
  std::string errors;
  bool truncated = false;  ///< a stream was over the limit

  bool success() const { return signal == 0 && exit_code == 0; }
};

/// Runs programs; tests give their own.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  /// Waits for the end. Errors: not_found when there is no such program, timeout when it was killed for
  /// taking too long (its whole process group is).
  virtual Result<Completed> run(const Command& command) = 0;
};

/// Runs real programs, in the C locale and with a fixed PATH, so that their output can be parsed.
class SystemProcessRunner final : public ProcessRunner {
 public:
  Result<Completed> run(const Command& command) override;
};

}  // namespace auditshift::base
