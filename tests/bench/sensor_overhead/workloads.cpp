// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/sensor_overhead/workloads.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace auditshift::bench {
namespace {

constexpr std::uint64_t kStressOperations = 20'000;

// Of which a measurement is made, where it has so many calls.
constexpr std::uint64_t kParts = 100;

// The walk: more than the innermost cache holds, and about half a millisecond.
constexpr std::uint32_t kWalkPlaces = 1U << 14;
constexpr unsigned kWalkSteps = 200'000;
constexpr unsigned kWalksAtStart = 2'000;

/// CPU seconds of one walk, each of whose steps depends on the one before.
double walk() {
  static const std::vector<std::uint32_t> next = [] {
    std::vector<std::uint32_t> places(kWalkPlaces);
    // Odd times a power of two's remainders: one cycle through all of them, in no order that is guessed.
    for (std::uint32_t i = 0; i < kWalkPlaces; ++i) places[i] = (i * 7'917 + 13) % kWalkPlaces;
    return places;
  }();
  timespec before{}, after{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  std::uint32_t place = 0;
  for (unsigned step = 0; step < kWalkSteps; ++step) place = next[place];
  if (place >= kWalkPlaces) std::abort();  // never; but the walk must not be left out
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  return static_cast<double>(after.tv_sec - before.tv_sec) +
         static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9;
}

/// What a walk takes when nobody disturbs it.
double fastest_walk() {
  static const double fastest = [] {
    double least = walk();
    for (unsigned i = 1; i < kWalksAtStart; ++i) least = std::min(least, walk());
    return least;
  }();
  return fastest;
}

void rename_absolute(std::uint64_t turn) {
  static const std::string names[] = {std::string(get_current_dir_name()) + "/a",
                                      std::string(get_current_dir_name()) + "/b"};
  renameat(AT_FDCWD, names[turn % 2].c_str(), AT_FDCWD, names[(turn + 1) % 2].c_str());
}

void rename_relative(std::uint64_t turn) {
  renameat(AT_FDCWD, turn % 2 ? "b" : "a", AT_FDCWD, turn % 2 ? "a" : "b");
}

void unlink_and_create(std::uint64_t) {
  unlink("victim");
  close(open("victim", O_CREAT | O_WRONLY, 0600));
}

/// Runs a program with nothing to say, and waits for it.
template <class... Argument>
void run_program(const char* path, Argument... arguments) {
  const pid_t child = vfork();
  if (child == 0) {
    execl(path, path, arguments..., nullptr);
    _exit(1);
  }
  waitpid(child, nullptr, 0);
}

void fork_and_exit(std::uint64_t) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

/// TCP on the loopback device. The end is a reset, so that no port is kept waiting.
void connect_and_accept(std::uint64_t) {
  static sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  static const int listener = [] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof address;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
      std::abort();
    return fd;
  }();
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const linger reset{1, 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const int server = accept(listener, nullptr, nullptr);
    close(client);
    close(server);
  } else {
    close(client);
  }
}

const Workload kWorkloads[] = {
    {"getppid", 200'000, 1, false, [](std::uint64_t) { syscall(SYS_getppid); }, nullptr},
    {"rename, absolute", 40'000, 1, true, rename_absolute, nullptr},
    {"rename, relative", 40'000, 1, true, rename_relative, nullptr},
    {"open for writing, close", 100'000, 1, false, [](std::uint64_t) { close(open("read", O_WRONLY)); },
     nullptr},
    {"unlink and create", 16'000, 1, false, unlink_and_create, nullptr},
    {"connect and accept, TCP", 6'000, 1, false, connect_and_accept, nullptr},
    {"fork and exit", 600, 1, false, fork_and_exit, nullptr},
    {"vfork and exec", 200, 1, false, [](std::uint64_t) { run_program("/bin/true"); }, nullptr},
    {"compile a small tree", 1, 1, false, [](std::uint64_t) { run_program("/bin/sh", "build.sh"); },
     "/usr/bin/cc"},
    {"stress-ng --rename", 1, kStressOperations, true,
     [](std::uint64_t) {
       static const std::string operations = std::to_string(kStressOperations);
       run_program("/usr/bin/stress-ng", "--quiet", "--temp-path", ".", "--rename", "1", "--rename-ops",
                   operations.c_str());
     },
     "/usr/bin/stress-ng"},
};

/// What a build does: many short programs, of which each reads and writes a few files.
constexpr const char* kBuild = R"(mkdir objects
for n in 1 2 3; do
  printf '#include <stdio.h>\nint call%d(void) { return printf("%%d", %d); }\n' $n $n >objects/$n.c
  cc -O0 -c objects/$n.c -o objects/$n.o
done
printf 'int call1(void); int main(void) { return call1(); }\n' >objects/main.c
cc -O0 objects/main.c objects/1.o objects/2.o objects/3.o -o objects/program
rm -r objects
)";

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

const Workload& workload(std::string_view name) {
  const auto found = std::find_if(std::begin(kWorkloads), std::end(kWorkloads),
                                  [&](const Workload& candidate) { return candidate.name == name; });
  if (found == std::end(kWorkloads)) std::abort();
  return *found;
}

bool possible(const Workload& workload) {
  return workload.program == nullptr || access(workload.program, X_OK) == 0;
}

WorkDirectory::WorkDirectory() {
  char folder[] = "/tmp/auditshift-bench-XXXXXX";
  if (mkdtemp(folder) == nullptr || chdir(folder) != 0) std::abort();
  for (const char* name : {"a", "read", "victim"}) std::ofstream{name};
  std::ofstream("build.sh") << kBuild;
}

WorkDirectory::~WorkDirectory() {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::current_path(ignored);
  if (chdir("/") == 0) std::filesystem::remove_all(folder, ignored);
}

double run_workload(const Workload& workload, std::uint64_t calls, const std::function<void()>& meanwhile) {
  static auto* const spent =
      static_cast<double*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const std::uint64_t parts = std::min(calls, kParts);
  const double undisturbed = fastest_walk();
  const pid_t worker = fork();
  if (worker == 0) {
    std::uint64_t turn = 0;
    for (; turn < calls / 20 * 2; ++turn) workload.call(turn);
    std::vector<double> times;
    double walked = walk();
    for (std::uint64_t part = 0; part < parts; ++part) {
      const double before = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
      for (std::uint64_t call = 0; call < calls / parts; ++call, ++turn) workload.call(turn);
      const double taken = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) - before;
      const double walked_before = std::exchange(walked, walk());
      times.push_back(parts == 1 ? taken : taken * undisturbed * 2 / (walked_before + walked));
    }
    std::sort(times.begin(), times.end());
    *spent = times[times.size() / 4];
    _exit(0);
  }
  while (waitpid(worker, nullptr, WNOHANG) == 0) meanwhile();
  return *spent * 1e9 / static_cast<double>(calls / parts * workload.operations);
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
