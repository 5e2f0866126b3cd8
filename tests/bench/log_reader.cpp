// SPDX-License-Identifier: Apache-2.0
// usage: bench_log_reader FILE: reads an audit log (and its rotated files) and prints the counts that
// `aureport --summary` prints, so that the two can be compared, and its own peak memory.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "auditd/log.h"

namespace {

/// "VmHWM:  4096 kB" of proc(5). What getrusage(2) tells begins with the parent's memory, before exec.
void print_peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) std::printf("%s\n", line.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  using namespace auditshift;
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_log_reader FILE\n");
    return 64;
  }
  const auto host = base::Sysroot::open("/");
  if (!host) {
    std::fprintf(stderr, "error: %s\n", host.error().message().c_str());
    return 1;
  }
  auditd::LogOptions options;
  options.log_file = std::filesystem::absolute(argv[1]).lexically_normal().native();
  base::NoProgress progress;
  const auditd::LogStatistics log = auditd::read_log(*host, options, progress);
  for (const std::string& error : log.errors) std::fprintf(stderr, "error: %s\n", error.c_str());
  std::printf("Number of executables: %zu\nNumber of keys: %zu\nNumber of events: %llu\n",
              log.by_executable.size(), log.by_key.size(), static_cast<unsigned long long>(log.total.events));
  std::printf("lines %llu, malformed %llu, interleaved %llu, unfinished %llu, truncated %llu\n",
              static_cast<unsigned long long>(log.lines), static_cast<unsigned long long>(log.malformed),
              static_cast<unsigned long long>(log.interleaved),
              static_cast<unsigned long long>(log.unfinished),
              static_cast<unsigned long long>(log.truncated));
  print_peak_memory();
  return log.errors.empty() ? 0 : 1;
}
