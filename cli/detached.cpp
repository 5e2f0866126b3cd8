// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "cli/change_run.h"

namespace auditshift::cli {
namespace {

/// Set in the transient unit, which must not start another one.
constexpr const char* kMark = "AUDITSHIFT_DETACHED";

/// This command again, as it was typed, under systemd-run.
std::vector<std::string> command_line(const migrate::change::Host& host, const std::string& unit, bool yes,
                                      const Context& context) {
  const std::string self = "/proc/" + std::to_string(::getpid());
  const auto words = host.files->read_file(self + "/cmdline");
  const auto program = host.files->read_link(self + "/exe");
  if (!words || !program) return {};
  std::vector<std::string> argv = {"systemd-run",
                                   "--quiet",
                                   "--pipe",
                                   "--wait",
                                   "--collect",
                                   "--unit=" + unit,
                                   "--description=auditshift changes this host",
                                   std::string("--setenv=") + kMark + "=1"};
  // Its arguments may name files from here. "-": where systemd cannot go (another mount namespace, a home
  // that root may not enter) the work goes on without; so it does in a directory that is gone, or whose name
  // D-Bus cannot carry.
  std::error_code gone;
  const std::string here = std::filesystem::current_path(gone).string();
  if (!gone && base::to_utf8(here) == here) argv.push_back("--property=WorkingDirectory=-" + here);
  // systemd-run hands over no other descriptors than the first three.
  if (context.progress_fd > STDERR_FILENO)
    argv.push_back(std::string("--setenv=") + kProgressFile + "=" + self + "/fd/" +
                   std::to_string(context.progress_fd));
  argv.insert(argv.end(), {"--", *program});
  const auto arguments = base::split(*words, '\0');
  for (std::size_t i = 1; i < arguments.size(); ++i)
    if (i + 1 < arguments.size() || !arguments[i].empty()) argv.emplace_back(arguments[i]);
  // It was answered here; there is no terminal to ask on there.
  if (!yes) argv.emplace_back("--yes");
  return argv;
}

/// In a process group of its own: an interrupt typed at the terminal is passed on by name, to the program and
/// not to the one that waits for it.
std::optional<pid_t> spawn(const std::vector<std::string>& argv) {
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  pid_t child = -1;
  const int problem =
      ::posix_spawnp(&child, pointers.front(), nullptr, &attributes, pointers.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (problem != 0) return std::nullopt;
  return child;
}

}  // namespace

std::optional<int> run_detached(const migrate::change::Host& host, const std::string& verb, bool yes,
                                const Context& context) {
  if (std::getenv(kMark) != nullptr || !host.services || !host.services->running()) return std::nullopt;
  const std::string unit = "auditshift-" + verb + "-" + std::to_string(::getpid()) + ".service";
  const std::vector<std::string> argv = command_line(host, unit, yes, context);
  if (argv.empty()) return std::nullopt;
  const auto child = spawn(argv);
  if (!child) return std::nullopt;  // no systemd-run: this process does the work
  bool passed_on = false;
  for (int status = 0;;) {
    if (::waitpid(*child, &status, 0) == *child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(kFailed);
    if (errno != EINTR) return kFailed;
    if (!interrupted() || passed_on) continue;
    passed_on = true;
    (void)host.processes->run(
        {.argv = {"systemctl", "kill", "--signal=INT", "--kill-who=main", unit}, .input = {}});
  }
}

}  // namespace auditshift::cli
