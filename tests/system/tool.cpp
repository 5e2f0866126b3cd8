// SPDX-License-Identifier: Apache-2.0
#include "tests/system/tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/fd.h"
#include "base/text.h"

namespace auditshift::testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
    read = base::Fd(ends[0]);
    write = base::Fd(ends[1]);
  }
  base::Fd read;
  base::Fd write;
};

/// The words for execve; they live as long as this object.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const Call& call) {
  std::map<std::string, std::string> all{
      {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}, {"TERM", "xterm"}};
  // A sanitized build is told by these how to report.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) all[name] = value;
  for (const auto& [name, value] : call.environment) all[name] = value;
  std::vector<std::string> words;
  for (const auto& [name, value] : all) words.push_back(name + "=" + value);
  return words;
}

/// In the child, after the descriptors are in place.
[[noreturn]] void become(const Call& call, Words& argv, Words& environment) {
  ::setpgid(0, 0);
  ::signal(SIGPIPE, SIG_DFL);
  if (call.largest_file != 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{call.largest_file, call.largest_file};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(125);
  }
  ::execvpe(argv.get()[0], argv.get(), environment.get());
  ::_exit(127);
}

void take(pollfd& from, std::string& to) {
  char buffer[65536];
  const ssize_t n = ::read(from.fd, buffer, sizeof buffer);
  if (n > 0) to.append(buffer, static_cast<std::size_t>(n));
  // A terminal whose other side was closed reads as EIO.
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) from.fd = -1;
}

void collect(std::array<pollfd, 3> from, const Call& call, pid_t child, SteadyClock::time_point start,
             Outcome& outcome) {
  const std::array<std::string*, 3> to{&outcome.out, &outcome.err, &outcome.progress};
  while (from[0].fd >= 0 || from[1].fd >= 0 || from[2].fd >= 0) {
    if (SteadyClock::now() - start > call.patience) {
      outcome.timed_out = true;
      ::kill(-child, SIGKILL);
      return;
    }
    if (::poll(from.data(), from.size(), 200) <= 0) continue;
    for (std::size_t i = 0; i < from.size(); ++i)
      if (from[i].fd >= 0 && from[i].revents != 0) take(from[i], *to[i]);
  }
}

Outcome finish(pid_t child, SteadyClock::time_point start, Outcome outcome) {
  int status = 0;
  rusage used{};
  while (::wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
  }
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  outcome.cpu_seconds = in_seconds(used.ru_utime) + in_seconds(used.ru_stime);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  return outcome;
}

Outcome run_on_terminal(const Call& call, Words& argv, Words& environment) {
  int master = -1;
  const auto start = SteadyClock::now();
  winsize size{};
  size.ws_col = 100;
  size.ws_row = 40;
  const pid_t child = ::forkpty(&master, nullptr, nullptr, &size);
  if (child == 0) become(call, argv, environment);
  const base::Fd owned(master);
  Outcome outcome;
  collect({pollfd{master, POLLIN, 0}, pollfd{-1, 0, 0}, pollfd{-1, 0, 0}}, call, child, start, outcome);
  return finish(child, start, outcome);
}

Outcome run_argv(const Call& call, std::vector<std::string> words) {
  Words argv(std::move(words));
  Words environment(environment_of(call));
  if (call.terminal) return run_on_terminal(call, argv, environment);
  Pipe out;
  Pipe err;
  Pipe progress;
  base::Fd file;
  if (!call.output_to.empty()) file = base::Fd(::open(call.output_to.c_str(), O_WRONLY | O_CLOEXEC));
  const base::Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (call.output_reader_gone) out.read.reset();
  if (call.progress_reader_gone) progress.read.reset();
  const auto start = SteadyClock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(file ? file.get() : out.write.get(), STDOUT_FILENO);
    ::dup2(err.write.get(), STDERR_FILENO);
    // dup2 onto itself would leave the close-on-exec flag.
    if (progress.write.get() == 3) ::fcntl(3, F_SETFD, 0);
    if (call.progress && progress.write.get() != 3) ::dup2(progress.write.get(), 3);
    become(call, argv, environment);
  }
  out.write.reset();
  err.write.reset();
  progress.write.reset();
  Outcome outcome;
  collect({pollfd{out.read ? out.read.get() : -1, POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0},
           pollfd{progress.read ? progress.read.get() : -1, POLLIN, 0}},
          call, child, start, outcome);
  return finish(child, start, outcome);
}

}  // namespace

Outcome run_tool(const Call& call) {
  std::vector<std::string> words = call.under;
  words.emplace_back(AUDITSHIFT_TOOL);
  if (call.progress) words.insert(words.end(), {"--progress-fd", "3"});
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  return run_argv(call, std::move(words));
}

Outcome run_program(const std::vector<std::string>& argv) { return run_argv({}, argv); }

base::Json json_of(const std::string& text) {
  auto parsed = base::parse_json(text, "output");
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message()) << "\n" << text.substr(0, 500);
  return parsed ? *std::move(parsed) : base::Json();
}

std::string schema_errors(const std::string& schema, const std::string& document) {
  std::string name = (std::filesystem::temp_directory_path() / "auditshift-document-XXXXXX").string();
  const base::Fd file(::mkstemp(name.data()));
  std::ofstream(name, std::ios::binary) << document;
  const Outcome done = run_program({AUDITSHIFT_SOURCE_DIR "/tests/schema/validate.py",
                                    AUDITSHIFT_SOURCE_DIR "/docs/schema/" + schema, name});
  std::filesystem::remove(name);
  return done.exit_code == 0 ? "" : "exit " + std::to_string(done.exit_code) + "\n" + done.out + done.err;
}

bool has_raw_controls(const std::string& text) {
  if (!base::is_utf8(text)) return true;
  std::string lines;
  for (const char c : text)
    if (c != '\n') lines += c;
  // A character that a terminal would act on is one that printable() changes.
  return base::printable(lines) != lines;
}

PublicTool::PublicTool() {
  namespace fs = std::filesystem;
  directory_ = (fs::temp_directory_path() / "auditshift-public-XXXXXX").string();
  if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no scratch directory can be made");
  fs::permissions(directory_, fs::perms(0755));
  fs::copy_file(AUDITSHIFT_TOOL, directory_ + "/auditshift");
  fs::permissions(directory_ + "/auditshift", fs::perms(0755));
}

PublicTool::~PublicTool() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Outcome PublicTool::run_as_nobody(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{
      "setpriv", "--reuid=65534",           "--regid=65534", "--clear-groups", "--inh-caps=-all",
      "--",      directory_ + "/auditshift"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv);
}

}  // namespace auditshift::testing
