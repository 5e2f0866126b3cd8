// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sensor_overhead/workloads.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace auditshift::bench {
namespace {

constexpr const char* kFiles[] = {"a", "read", "victim"};
constexpr const char* kMade[] = {"b", "program", "program.c"};

void rename_absolute(std::uint64_t turn) {
  static const std::string names[] = {std::string(get_current_dir_name()) + "/a",
                                      std::string(get_current_dir_name()) + "/b"};
  renameat(AT_FDCWD, names[turn % 2].c_str(), AT_FDCWD, names[(turn + 1) % 2].c_str());
}

void unlink_and_create(std::uint64_t) {
  unlink("victim");
  close(open("victim", O_CREAT | O_WRONLY, 0600));
}

void fork_and_exec(std::uint64_t) {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(1);
  }
  waitpid(child, nullptr, 0);
}

void fork_and_exit(std::uint64_t) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

/// One translation unit, with the programs and files that this takes.
void compile(std::uint64_t) {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/usr/bin/cc", "cc", "-x", "c", "-O0", "-o", "program", "program.c", nullptr);
    _exit(1);
  }
  waitpid(child, nullptr, 0);
}

/// A name in the abstract namespace, the worker's own: no port to run out of.
void connect_and_accept(std::uint64_t) {
  static sockaddr_un address{AF_UNIX, {}};
  static const int listener = [] {
    std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "auditshift-bench-%d", getpid());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 8) != 0)
      std::abort();
    return fd;
  }();
  const int client = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    close(accept(listener, nullptr, nullptr));
  close(client);
}

const Workload kWorkloads[] = {
    {"getppid", 1, [](std::uint64_t) { syscall(SYS_getppid); }},
    {"rename, absolute", 4, rename_absolute},
    {"rename, relative", 4,
     [](std::uint64_t turn) { renameat(AT_FDCWD, turn % 2 ? "b" : "a", AT_FDCWD, turn % 2 ? "a" : "b"); }},
    {"open for reading", 2, [](std::uint64_t) { close(open("read", O_RDONLY)); }},
    {"open for writing", 2, [](std::uint64_t) { close(open("read", O_WRONLY)); }},
    {"unlink and create", 10, unlink_and_create},
    {"connect and accept", 10, connect_and_accept},
    {"fork and exit", 1000, fork_and_exit},
    {"vfork and exec", 2000, fork_and_exec},
    {"compile", 20'000, compile},
};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload& workload(std::string_view name) {
  const auto found = std::find_if(std::begin(kWorkloads), std::end(kWorkloads),
                                  [&](const Workload& candidate) { return candidate.name == name; });
  if (found == std::end(kWorkloads)) std::abort();
  return *found;
}

WorkDirectory::WorkDirectory() {
  char folder[] = "/tmp/auditshift-bench-XXXXXX";
  if (mkdtemp(folder) == nullptr || chdir(folder) != 0) std::abort();
  for (const char* name : kFiles) close(open(name, O_CREAT | O_WRONLY, 0600));
  constexpr std::string_view kProgram = "#include <stdio.h>\nint main(void) { return printf(\"\") < 0; }\n";
  const int program = open("program.c", O_CREAT | O_WRONLY, 0600);
  if (write(program, kProgram.data(), kProgram.size()) < 0) std::abort();
  close(program);
}

WorkDirectory::~WorkDirectory() {
  char* const folder = get_current_dir_name();
  for (const char* name : kFiles) unlink(name);
  for (const char* name : kMade) unlink(name);
  if (chdir("/") == 0 && folder != nullptr) rmdir(folder);
  free(folder);
}

double run_workload(const Workload& workload, std::uint64_t calls, const std::function<void()>& meanwhile) {
  static auto* const spent =
      static_cast<double*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const pid_t worker = fork();
  if (worker == 0) {
    for (std::uint64_t turn = 0; turn < calls / 10; ++turn) workload.call(turn);
    const double before = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
    for (std::uint64_t turn = calls % 2; turn < calls; ++turn) workload.call(turn);
    *spent = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) - before;
    _exit(0);
  }
  while (waitpid(worker, nullptr, WNOHANG) == 0) meanwhile();
  return *spent * 1e9 / static_cast<double>(calls);
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

}  // namespace auditshift::bench
