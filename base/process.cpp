// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/fd.h"

namespace auditshift::base {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return Error::from_errno(errno, "pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) != 0) return Error::from_errno(errno, name);
    return name;
  }
  std::string_view path = kPath;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    std::string candidate = std::string(path.substr(0, colon)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
  }
  return Error(Errc::not_found, name + ": no such program in " + kPath);
}

/// In the child, after fork: only async-signal-safe calls.
[[noreturn]] void exec_child(const char* program, char* const* argv, char* const* envp, int in, int out,
                             int err, int report) {
  ::setpgid(0, 0);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(program, argv, envp);
  const int error = errno;
  if (::write(report, &error, sizeof error) < 0) ::_exit(126);
  ::_exit(127);
}

void append_limited(std::string& to, std::string_view data, std::size_t limit, bool& truncated) {
  const std::size_t room = limit > to.size() ? limit - to.size() : 0;
  to += data.substr(0, room);
  if (data.size() > room) truncated = true;
}

/// Takes what one read gives; closes the pipe at its end.
void drain(Fd& from, std::string& to, std::size_t limit, bool& truncated) {
  char buffer[65536];
  const ssize_t n = ::read(from.get(), buffer, sizeof buffer);
  if (n > 0) append_limited(to, {buffer, static_cast<std::size_t>(n)}, limit, truncated);
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) from.reset();
}

/// Feeds and drains the child's pipes until both outputs are closed or the deadline has passed.
bool exchange(Pipe& in, Pipe& out, Pipe& err, const Command& command, SteadyClock::time_point deadline,
              Completed& done) {
  std::string_view input = command.input;
  if (input.empty()) in.write.reset();
  while (out.read || err.read) {
    pollfd fds[3] = {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {in.write.get(), POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return false;
    if (::poll(fds, 3, static_cast<int>(left.count()) + 1) < 0 && errno != EINTR) return false;
    if (fds[0].revents != 0) drain(out.read, done.output, command.output_limit, done.truncated);
    if (fds[1].revents != 0) drain(err.read, done.errors, command.output_limit, done.truncated);
    if ((fds[2].revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
      const ssize_t n = ::write(in.write.get(), input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if (input.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) in.write.reset();
    }
  }
  return true;
}

/// Waits for the child's end; false when the deadline came first.
bool wait_until(pid_t pid, SteadyClock::time_point deadline, int& status) {
  while (true) {
    const pid_t done = ::waitpid(pid, &status, WNOHANG);
    if (done == pid) return true;
    if (SteadyClock::now() >= deadline) return false;
    ::usleep(1000);
  }
}

}  // namespace

Result<Completed> SystemProcessRunner::run(const Command& command) {
  if (command.argv.empty()) return Error(Errc::invalid, "no program given");
  AUDITSHIFT_TRY(program, find_program(command.argv[0]));
  AUDITSHIFT_TRY(in, make_pipe());
  AUDITSHIFT_TRY(out, make_pipe());
  AUDITSHIFT_TRY(err, make_pipe());
  AUDITSHIFT_TRY(report, make_pipe());
  ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);

  std::vector<char*> argv;
  for (const std::string& arg : command.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  std::string path = std::string("PATH=") + kPath;
  std::string locale = "LC_ALL=C";
  std::string home = "HOME=/root";
  char* envp[] = {path.data(), locale.data(), home.data(), nullptr};

  // A child that closes its input early must not end this process.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);

  const auto deadline = SteadyClock::now() + command.timeout;
  const pid_t pid = ::fork();
  if (pid < 0) {
    ::sigaction(SIGPIPE, &before, nullptr);
    return Error::from_errno(errno, "fork");
  }
  if (pid == 0)
    exec_child(program.c_str(), argv.data(), envp, in.read.get(), out.write.get(), err.write.get(),
               report.write.get());
  ::setpgid(pid, pid);  // also here: whichever of the two runs first
  in.read.reset();
  out.write.reset();
  err.write.reset();
  report.write.reset();

  int exec_errno = 0;
  const bool failed_to_start = ::read(report.read.get(), &exec_errno, sizeof exec_errno) == sizeof exec_errno;
  Completed done;
  int status = 0;
  const bool finished = exchange(in, out, err, command, deadline, done) && wait_until(pid, deadline, status);
  if (!finished) {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  ::sigaction(SIGPIPE, &before, nullptr);
  if (failed_to_start) return Error::from_errno(exec_errno, program);
  if (!finished)
    return Error(Errc::timeout, command.argv[0] + ": no answer within " +
                                    std::to_string(command.timeout.count()) + " ms, ended");
  if (WIFSIGNALED(status)) done.signal = WTERMSIG(status);
  if (WIFEXITED(status)) done.exit_code = WEXITSTATUS(status);
  return done;
}

}  // namespace auditshift::base
