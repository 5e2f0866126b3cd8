// SPDX-License-Identifier: Apache-2.0
#include "migrate/outside/flow_probe.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/fd.h"

namespace auditshift::migrate::outside {
namespace {

constexpr const char* kOne = "one";
constexpr const char* kOther = "other";
/// Started by the calm probe: it exists everywhere and lives long enough to be looked at in /proc.
constexpr const char* kProgram = "/bin/sleep";
constexpr unsigned kCalmPause = 150'000;  // microseconds
constexpr unsigned kFloodPause = 500;

/// From here on in the child of a process that may have threads: async-signal-safe calls only.
void start_program(char* const* argv) {
  const pid_t child = ::fork();
  if (child != 0) return;
  ::execv(kProgram, argv);
  ::_exit(127);
}

[[noreturn]] void work(int directory, FlowProbe::Pace pace, pid_t parent, char* const* argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction reap {};
  reap.sa_handler = SIG_IGN;  // its children leave no zombies
  ::sigaction(SIGCHLD, &reap, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  while (::getppid() == parent) {
    if (pace == FlowProbe::Pace::calm) start_program(argv);
    ::renameat(directory, kOne, directory, kOther);
    ::renameat(directory, kOther, directory, kOne);
    ::usleep(pace == FlowProbe::Pace::calm ? kCalmPause : kFloodPause);
  }
  ::_exit(0);
}

std::string own_executable() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

base::Result<FlowProbe> FlowProbe::start(const std::string& parent, Pace pace) {
  if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST)
    return base::Error::from_errno(errno, parent + ": directory of the probe");
  FlowProbe probe;
  std::string name = parent + "/auditshift-probe-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return base::Error::from_errno(errno, name);
  probe.directory_ = name;
  probe.marker_ = name.substr(name.rfind('/') + 1);
  probe.executable_ = own_executable();
  base::Fd directory(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return base::Error::from_errno(errno, name);
  const base::Fd file(::openat(directory.get(), kOne, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return base::Error::from_errno(errno, name + "/" + kOne);
  std::string seconds = "0.2";
  char* argv[] = {probe.marker_.data(), seconds.data(), nullptr};
  const pid_t self = ::getpid();
  probe.pid_ = ::fork();
  if (probe.pid_ < 0) return base::Error::from_errno(errno, "cannot start the probe");
  if (probe.pid_ == 0) work(directory.get(), pace, self, argv);
  return probe;
}

FlowProbe::FlowProbe(FlowProbe&& other) noexcept
    : directory_(std::exchange(other.directory_, {})),
      marker_(std::move(other.marker_)),
      executable_(std::move(other.executable_)),
      pid_(std::exchange(other.pid_, -1)) {}

FlowProbe::~FlowProbe() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (directory_.empty()) return;
  for (const char* name : {kOne, kOther}) ::unlink((directory_ + "/" + name).c_str());
  ::rmdir(directory_.c_str());
}

}  // namespace auditshift::migrate::outside
