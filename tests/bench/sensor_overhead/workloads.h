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
  std::uint64_t calls;       ///< of one measurement; even, so that every file is again where it was
  std::uint64_t operations;  ///< that one call makes: what is told is told per operation
  bool renames;              ///< with two paths, one after the other
  void (*call)(std::uint64_t turn);
  const char* program;  ///< without which it cannot run, or null
};

/// All of them. They work on files of the current directory, a WorkDirectory.
std::span<const Workload> workloads();
/// REQUIRES: there is one of this name.
const Workload& workload(std::string_view name);
/// Whether the program that it needs is there.
bool possible(const Workload& workload);

/// A directory with these files, made the current one; gone at the end.
class WorkDirectory {
 public:
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
};

/// CPU nanoseconds per operation of a child that makes `calls` calls, after a tenth as many to warm up; its
/// own children's time is part of it. `meanwhile` is called until the child ends.
///
/// The calls are made in 100 parts. Neighbours on the host's processors and memory make a machine slower, by
/// half and for many seconds at a time, so each part is held against a walk through memory right before and
/// right behind it, and told as what it would take where that walk is as fast as it ever was at the start;
/// of the parts it is the lower quartile. A workload of one call has one part, told as it is.
double run_workload(const Workload& workload, std::uint64_t calls, const std::function<void()>& meanwhile);

/// CPU seconds, user and system: RUSAGE_SELF or RUSAGE_CHILDREN.
double cpu_seconds(int who);

/// 0 of nothing.
double median(std::vector<double> values);

}  // namespace auditshift::bench
