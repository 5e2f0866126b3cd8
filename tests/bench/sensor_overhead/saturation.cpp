// SPDX-License-Identifier: Apache-2.0
// Whether anything is lost while every processor is busy: one worker for each renames as fast as it can, and
// the daemon, which gets no processor of its own, writes NDJSON.
//
// usage: bench_saturation [SECONDS [DIRECTORY]]
//
// Root is needed. Sections of the page and targets go to DIRECTORY (report.h).
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/bench/sensor_overhead/report.h"
#include "tests/bench/sensor_overhead/services.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

namespace fs = std::filesystem;

/// Renames in a folder of its own until the time is over, and leaves their number there.
pid_t start_worker(long worker, std::chrono::seconds duration) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const std::string folder = "worker" + std::to_string(worker);
  fs::create_directory(folder);
  const std::string names[] = {fs::current_path().string() + "/" + folder + "/a",
                               fs::current_path().string() + "/" + folder + "/b"};
  std::ofstream{names[0]};
  const auto end = std::chrono::steady_clock::now() + duration;
  std::uint64_t made = 0;
  while (std::chrono::steady_clock::now() < end)
    for (int i = 0; i < 1000; ++i, ++made) rename(names[made % 2].c_str(), names[(made + 1) % 2].c_str());
  std::ofstream(folder + "/made") << made;
  _exit(0);
}

int run(std::chrono::seconds duration, const Report& report) {
  const std::string directory = fs::current_path().string() + "/service";
  const auto service = start_sensor(directory, true, 0);
  if (!service.ok()) {
    std::fprintf(stderr, "error: %s\n", service.error().message().c_str());
    return 1;
  }
  (*service)->settle();
  const std::uint64_t before = (*service)->events();
  const double cpu = (*service)->cpu_seconds();
  const long workers = sysconf(_SC_NPROCESSORS_ONLN);
  std::vector<pid_t> pids;
  for (long worker = 0; worker < workers; ++worker) pids.push_back(start_worker(worker, duration));
  for (const pid_t pid : pids) waitpid(pid, nullptr, 0);
  (*service)->settle();
  std::uint64_t made = 0;
  for (long worker = 0; worker < workers; ++worker) {
    std::uint64_t of_worker = 0;
    std::ifstream("worker" + std::to_string(worker) + "/made") >> of_worker;
    made += of_worker;
  }
  const std::uint64_t told = (*service)->events() - before, lost = (*service)->lost();
  const auto number = [](std::uint64_t value) { return figure(static_cast<double>(value)); };
  report.section(
      "saturation",
      row({"", "renames", "events told", "events lost", "user side, CPU s per million", "resident MiB"}) +
          rule(6) +
          row({std::to_string(workers) + " workers on " + std::to_string(workers) + " processors, " +
                   std::to_string(duration.count()) + " s",
               number(made), number(told), number(lost),
               figure(((*service)->cpu_seconds() - cpu) * 1e6 / static_cast<double>(told)),
               figure(static_cast<double>((*service)->resident_kib()) / 1024)}));
  // Others on the host do things, too, so there may be more events than renames, but not fewer. What was lost
  // is missing, so it counts once.
  const std::uint64_t missing = std::max(made > told ? made - told : 0, lost);
  report.target("events lost or missing, all processors busy for " + std::to_string(duration.count()) + " s",
                static_cast<double>(missing), 0);
  return 0;
}

}  // namespace
}  // namespace auditshift::bench

int main(int count, char** values) {
  if (geteuid() != 0) {
    std::fprintf(stderr, "error: root is needed to run the sensor\n");
    return 1;
  }
  const auditshift::bench::WorkDirectory directory;
  return auditshift::bench::run(std::chrono::seconds(count > 1 ? std::atoi(values[1]) : 60),
                                auditshift::bench::Report(count > 2 ? values[2] : ""));
}
