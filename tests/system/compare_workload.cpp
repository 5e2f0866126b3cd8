// SPDX-License-Identifier: Apache-2.0
// usage: compare_workload DIRECTORY COUNT: each of the calls below COUNT times, all of them successful, in a
// fixed order. Rules that name this program and one call record exactly COUNT events. It changes nothing
// outside DIRECTORY and a namespace of its own.
#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void check(bool good, const char* what) {
  if (good) return;
  perror(what);
  _exit(3);
}

void files(const std::string& name) {
  const int fd =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600));
  check(fd >= 0, "openat");
  check(syscall(SYS_fchmod, fd, 0640) == 0, "fchmod");
  close(fd);
  check(syscall(SYS_renameat2, AT_FDCWD, name.c_str(), AT_FDCWD, (name + ".new").c_str(), 0) == 0, "rename");
  check(syscall(SYS_fchownat, AT_FDCWD, (name + ".new").c_str(), 0, 0, 0) == 0, "chown");
  check(syscall(SYS_unlinkat, AT_FDCWD, (name + ".new").c_str(), 0) == 0, "unlink");
  check(syscall(SYS_mkdirat, AT_FDCWD, (name + ".d").c_str(), 0700) == 0, "mkdir");
  check(syscall(SYS_unlinkat, AT_FDCWD, (name + ".d").c_str(), AT_REMOVEDIR) == 0, "rmdir");
}

void sockets(int listener, const sockaddr_un& address) {
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  check(client >= 0, "socket");
  check(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
  sockaddr_un peer{};
  socklen_t length = sizeof peer;
  const int server = static_cast<int>(syscall(SYS_accept4, listener, &peer, &length, 0));
  check(server >= 0, "accept");
  close(server);
  close(client);
}

void process(const char* self) {
  const pid_t child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  check(child >= 0, "clone");
  if (child == 0) {
    check(syscall(SYS_setresuid, -1, 0, -1) == 0, "setresuid");
    check(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0, "ptrace");
    // Traced, an exec would stop.
    _exit(0);
  }
  check(waitpid(child, nullptr, 0) == child, "waitpid");
  const pid_t other = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (other == 0) {
    execl(self, "compare_workload", "exit", static_cast<char*>(nullptr));
    _exit(4);
  }
  int status = 0;
  check(waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) == 7, "exec");
  check(syscall(SYS_sethostname, "compared", 8) == 0, "sethostname");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "exit") == 0) _exit(7);
  if (argc != 3) _exit(64);
  check(unshare(CLONE_NEWUTS) == 0, "unshare");
  const std::string directory = argv[1];
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (directory + "/s").c_str(), sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  check(
      bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(listener, 4) == 0,
      "bind");
  const int count = std::atoi(argv[2]);
  for (int i = 0; i < count; ++i) {
    files(directory + "/f" + std::to_string(i));
    sockets(listener, address);
    process(argv[0]);
  }
  _exit(0);
}
