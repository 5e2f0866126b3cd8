// SPDX-License-Identifier: Apache-2.0
#include "cli/context.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/sysroot.h"
#include "base/text.h"

namespace auditshift::cli {
namespace {

bool is_dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

}  // namespace

base::Result<void> Context::open_progress() {
  if (progress_fd < 0) return {};
  if (const char* file = std::getenv(kProgressFile); file != nullptr) {
    // Without waiting for a reader that is gone; the lines are then written as if nothing had been opened.
    progress_fd = ::open(file, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (progress_fd < 0) progress_fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (progress_fd >= 0) (void)::fcntl(progress_fd, F_SETFL, O_APPEND);
    return {};
  }
  if (::fcntl(progress_fd, F_GETFD) >= 0) return {};
  return base::Error(base::Errc::invalid,
                     "--progress-fd " + std::to_string(progress_fd) + ": no such descriptor is open")
      .with_hint("open it first, for example: auditshift --progress-fd 3 … 3>progress.jsonl");
}

std::unique_ptr<base::Progress> Context::progress() const {
  if (progress_fd >= 0) return base::make_json_progress(progress_fd);
  if (quiet) return std::make_unique<base::NoProgress>();
  if (::isatty(STDERR_FILENO) != 0 && !is_dumb_terminal()) return base::make_terminal_progress(stderr);
  return base::make_line_progress(stderr);
}

migrate::TextOptions Context::text_options() const {
  migrate::TextOptions options;
  options.verbose = verbose;
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const char* forbidden = std::getenv("NO_COLOR");
  options.color =
      terminal && !no_color && !is_dumb_terminal() && (forbidden == nullptr || *forbidden == '\0');
  winsize size{};
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
    options.width = std::clamp<std::size_t>(size.ws_col, 60, 140);
  return options;
}

void JsonOption::add_to(CLI::App& app) {
  app.add_flag("--json{pretty}", style, "print JSON; --json=short for one line")
      ->check(CLI::IsMember({"pretty", "short"}));
}

std::string JsonOption::dump(const base::Json& json) const {
  return base::dump_json(json, style == "short" ? base::JsonStyle::compact : base::JsonStyle::pretty);
}

void RootOption::add_to(CLI::App& app) {
  app.add_option("--root", directory, "look at the captured or mounted host below this directory")
      ->type_name("DIR");
}

base::Result<migrate::World> RootOption::world() const {
  return directory.empty() ? migrate::live_world() : migrate::captured_world(directory);
}

int report(const base::Error& error) {
  std::fprintf(stderr, "error: %s\n", base::printable(error.message()).c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "hint: %s\n", base::printable(error.hint()).c_str());
  switch (error.code()) {
    case base::Errc::interrupted:
      return kInterrupted;
    case base::Errc::busy:
      return kBusy;
    default:
      return kFailed;
  }
}

base::Result<void> write_result(const std::string& file, std::string_view content) {
  if (file.empty() || file == "-") {
    auto written = base::write_all(STDOUT_FILENO, content, "standard output");
    if (!written && written.error().system_errno() == EPIPE) {
      // `auditshift … | head -1`: the reader has what it wants. End as every filter does, without a word.
      ::signal(SIGPIPE, SIG_DFL);
      ::raise(SIGPIPE);
    }
    return written;
  }
  return base::write_file_atomic(file, content).context("cannot write the result");
}

std::string absolute_path(const std::string& path) {
  std::error_code ec;
  const std::filesystem::path absolute = std::filesystem::absolute(path, ec);
  return ec ? path : absolute.lexically_normal().native();
}

}  // namespace auditshift::cli
