// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "base/result.h"
#include "migrate/render_text.h"
#include "migrate/world.h"

namespace CLI {
class App;
}

namespace auditshift::cli {

/// Exit codes, the same for every verb (docs/cli.md).
enum Exit : int {
  kDone = 0,
  kFailed = 1,
  kBlocked = 2,
  kRebootNeeded = 3,
  kVerificationFailed = 4,
  kRolledBack = 5,
  kRollbackIncomplete = 6,
  kUsage = 64,
  kBusy = 75,
  kRootNeeded = 77,
  kInterrupted = 130,
};

/// In the environment of a transient unit: the file to open for --progress-fd, whose number means nothing
/// there.
inline constexpr const char* kProgressFile = "AUDITSHIFT_PROGRESS";

/// Options that every verb has, and what follows from them.
struct Context {
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  int progress_fd = -1;

  /// Makes --progress-fd fit for use. Errors: it is not open.
  base::Result<void> open_progress();
  std::unique_ptr<base::Progress> progress() const;
  migrate::TextOptions text_options() const;
};

/// --json[=pretty|short]: empty when not given.
struct JsonOption {
  std::string style;

  void add_to(CLI::App& app);
  bool wanted() const { return !style.empty(); }
  std::string dump(const base::Json& json) const;
};

/// --root DIR: empty for the running host.
struct RootOption {
  std::string directory;

  void add_to(CLI::App& app);
  base::Result<migrate::World> world() const;
};

/// "error: …" and, where there is one, "hint: …" on standard error. Returns the exit code for it.
int report(const base::Error& error);

/// Writes a result to `file` (atomically; nothing half-written stays) or, for "" and "-", to standard output.
base::Result<void> write_result(const std::string& file, std::string_view content);

/// Makes a path of the command line absolute.
std::string absolute_path(const std::string& path);

}  // namespace auditshift::cli
