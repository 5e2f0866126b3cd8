// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace auditshift::testing {

/// One run of the built auditshift. The environment is fixed (PATH, LC_ALL=C, TERM=xterm) plus what is named.
struct Call {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<std::string> under{};  ///< a program and its arguments that start it: strace, setpriv
  bool terminal = false;             ///< standard output and error are a terminal; both arrive in `out`
  bool progress = false;             ///< descriptor 3 is a pipe, `--progress-fd 3` is put in front
  bool progress_reader_gone = false;
  bool output_reader_gone = false;
  std::string output_to{};       ///< a file that standard output is opened on instead
  std::size_t largest_file = 0;  ///< RLIMIT_FSIZE in bytes, SIGXFSZ ignored; 0: as it is
  std::chrono::seconds patience{300};
};

/// How it ended and what it said.
struct Outcome {
  int exit_code = -1;
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;
  std::string progress;
  double seconds = 0;
  double cpu_seconds = 0;  ///< its own and the kernel's for it: not stretched by a busy machine
};

Outcome run_tool(const Call& call);
inline Outcome run_tool(std::vector<std::string> arguments) {
  return run_tool(Call{.arguments = std::move(arguments)});
}

/// Runs another program, found in PATH; its output and exit code.
Outcome run_program(const std::vector<std::string>& argv);

/// The one JSON document in `text`; null (and a failed expectation) when it is none.
base::Json json_of(const std::string& text);

/// Validates a document against a schema of docs/schema. Empty when it follows it.
std::string schema_errors(const std::string& schema, const std::string& document);

/// True when `text` holds a byte that a terminal would act on: a control character but newline, or invalid
/// UTF-8. Colour codes are such bytes too.
bool has_raw_controls(const std::string& text);

/// A copy of the binary in a directory that every user may enter: the build directory may be private.
class PublicTool {
 public:
  PublicTool();
  ~PublicTool();
  PublicTool(const PublicTool&) = delete;
  PublicTool& operator=(const PublicTool&) = delete;
  /// The directory, mode 0755.
  const std::string& directory() const { return directory_; }
  /// Runs the copy as nobody. REQUIRES: root, and setpriv.
  Outcome run_as_nobody(std::vector<std::string> arguments) const;

 private:
  std::string directory_;
};

}  // namespace auditshift::testing
