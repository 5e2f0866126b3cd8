// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

/// What the benchmarks have done over and over, each in a child of its own.
namespace auditshift::bench {

struct Workload {
  const char* name;
  unsigned divisor;  ///< so many fewer calls than asked for: it is that much slower
  void (*call)(std::uint64_t turn);
};

/// All of them. They work on files "a", "read" and "victim" of the current directory.
std::span<const Workload> workloads();
/// REQUIRES: there is one of this name.
const Workload& workload(std::string_view name);

/// A directory with these files, made the current one; gone at the end.
class WorkDirectory {
 public:
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
};

/// CPU nanoseconds per call of a child that makes `calls` of them, after a tenth as many to warm up.
/// `meanwhile` is called until it ends.
double run_workload(const Workload& workload, std::uint64_t calls, const std::function<void()>& meanwhile);

/// CPU seconds, user and system: RUSAGE_SELF or RUSAGE_CHILDREN.
double cpu_seconds(int who);

double median(std::vector<double> values);

}  // namespace auditshift::bench
