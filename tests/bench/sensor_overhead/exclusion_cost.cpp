// SPDX-License-Identifier: Apache-2.0
// What an exclusion costs the events that it does not keep back, and what those cost that it does.
//
// usage: bench_exclusion_cost [ROUNDS [DIRECTORY]]
//
// Each round does the work with no sensor, and with the sensor and so many entries, in an order shuffled
// anew. The section of the page and a target go to DIRECTORY (report.h). The entries are as near to the names
// of the rename as they can be: a third each programs, files and folders of the very directory that the
// rename works in, so that its names are followed down to the last one. What is printed is the CPU time that
// the kernel side adds to a call.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bpf/libbpf_log.h"
#include "bpf/record.h"
#include "sensor/ebpf_provider.h"
#include "tests/bench/sensor_overhead/report.h"
#include "tests/bench/sensor_overhead/services.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

using namespace std::chrono_literals;

class Discard final : public sensor::Consumer {
 public:
  void consume(const sensor::Event&) override {}
  void end_of_batch() override {}
};

std::vector<sensor::Exclusion> entries_beside(const std::string& directory, std::size_t count) {
  using sensor::ExclusionKind;
  constexpr ExclusionKind kKinds[] = {ExclusionKind::process, ExclusionKind::file, ExclusionKind::folder};
  std::vector<sensor::Exclusion> entries;
  for (std::size_t i = 0; i < count; ++i)
    entries.push_back({kKinds[i % 3], directory + "/entry-" + std::to_string(i)});
  return entries;
}

struct Variant {
  const char* name;
  bool with_sensor;
  std::vector<sensor::Exclusion> entries;
};

constexpr const char* kWork[] = {"rename, absolute", "rename, relative", "open for writing, close"};
constexpr std::size_t kCounts[] = {0, 10, 1'000, 10'000};

/// CPU nanoseconds per call, in the order of kWork.
std::vector<double> measure(const Variant& variant) {
  const base::SystemClock clock;
  sensor::EbpfProvider provider({}, clock);
  Discard discard;
  if (variant.with_sensor) {
    auto ready = provider.start();
    if (ready.ok()) ready = provider.exclude(variant.entries);
    if (!ready.ok()) {
      std::fprintf(stderr, "error: %s\n", ready.error().message().c_str());
      std::exit(1);
    }
  }
  const auto poll = [&] {
    usleep(20'000);
    if (variant.with_sensor) (void)provider.poll(0ms, discard).ok();
  };
  // Once round the ring, as in comparison.cpp.
  if (variant.with_sensor) run_workload(workload(kWork[0]), kRingBytes / sizeof(as_record), poll);
  std::vector<double> times;
  for (const char* name : kWork) {
    const Workload& work = workload(name);
    times.push_back(run_workload(work, work.calls, poll));
  }
  return times;
}

void run(unsigned rounds, const Report& report) {
  char* const here = get_current_dir_name();
  const std::string directory = here;
  free(here);
  std::vector<Variant> variants = {{"no sensor", false, {}}};
  for (const std::size_t count : kCounts) variants.push_back({"", true, entries_beside(directory, count)});
  variants.push_back({"the name is excluded", true, {{sensor::ExclusionKind::folder, directory}}});
  std::mt19937 random(1);
  // By workload and variant, a call's time in each round.
  std::vector<std::vector<std::vector<double>>> times(std::size(kWork),
                                                      std::vector<std::vector<double>>(variants.size()));
  const auto added = [&](std::size_t work, std::size_t variant) {
    return median(times[work][variant]) - median(times[work][0]);
  };
  for (unsigned round = 0; round < rounds; ++round) {
    std::vector<std::size_t> order(variants.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      const std::vector<double> measured = measure(variants[i]);
      for (std::size_t work = 0; work < std::size(kWork); ++work) times[work][i].push_back(measured[work]);
    }
    std::fprintf(stderr, "round %u of %u\n", round + 1, rounds);
  }
  std::string text =
      "CPU nanoseconds that the sensor adds to a call, with so many entries; in parentheses the ratio to no "
      "entries. Medians of " +
      std::to_string(rounds) + " rounds.\n\n" +
      row({"", "0", "10", "1,000", "10,000", "the name is excluded"}) + rule(6);
  for (std::size_t work = 0; work < std::size(kWork); ++work) {
    const double without = added(work, 1);
    std::vector<std::string> cells = {kWork[work], figure(without)};
    for (std::size_t i = 2; i < variants.size(); ++i)
      cells.push_back(figure(added(work, i)) + " (" + figure(added(work, i) / without) + ")");
    text += row(cells);
  }
  report.section("exclusions", text);
  for (std::size_t work = 0; work < std::size(kWork); ++work)
    report.target(std::string(kWork[work]) + ": cost with 10,000 exclusions, to that with 10",
                  added(work, 4) / added(work, 2), 1.1);
}

}  // namespace
}  // namespace auditshift::bench

int main(int count, char** values) {
  auditshift::bpf::route_libbpf_messages();
  const auditshift::bench::WorkDirectory directory;
  auditshift::bench::run(count > 1 ? static_cast<unsigned>(std::atoi(values[1])) : 7,
                         auditshift::bench::Report(count > 2 ? values[2] : ""));
  return 0;
}
