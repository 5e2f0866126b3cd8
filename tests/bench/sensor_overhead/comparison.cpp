// SPDX-License-Identifier: Apache-2.0
// The same work with nothing beside it, with bare programs (which count, submit a fixed record, copy both
// paths of a rename), with the sensor that only counts, with the sensor that writes NDJSON, the same with
// 1,000 exclusions, and with auditd and rules like Defender's.
//
// usage: bench_comparison [ROUNDS [DIRECTORY [WORKLOAD…]]]
//
// Each round starts each of them, in an order shuffled anew, and does all workloads under it. CPU time is
// what counts, not the clock on the wall. Root is needed. auditd runs in a directory of its own, with rules
// that are taken away again; where audit is in use already, it is left out. Sections of the page and targets
// go to DIRECTORY (report.h); with an empty one they are printed. Workloads are those of workloads.cpp;
// without a name it is all of them.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/sensor_overhead/comparison.h"
#include "tests/bench/sensor_overhead/services.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

constexpr unsigned kExclusionEntries = 1000;

volatile std::sig_atomic_t interrupted = 0;

std::vector<std::string> chosen;  ///< names of workloads; none: all

bool is_chosen(const Workload& work) {
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), work.name) != chosen.end();
}

base::Result<std::unique_ptr<Service>> start(Variant variant, const std::string& directory) {
  switch (variant) {
    case Variant::nothing:
      return std::make_unique<Service>();
    case Variant::counter:
      return start_bare("count_calls");
    case Variant::fixed:
      return start_bare("submit_fixed");
    case Variant::paths:
      return start_bare("copy_paths");
    case Variant::statistics:
      return start_sensor(directory, false, 0);
    case Variant::ndjson:
      return start_sensor(directory, true, 0);
    case Variant::exclusions:
      return start_sensor(directory, true, kExclusionEntries);
    case Variant::auditd:
      break;
  }
  return start_auditd(directory);
}

void measure(Service& service, Result& result) {
  // A page of the ring that was never written costs the program that comes to it a few microseconds, once.
  if (service.renames_round_ring() != 0)
    run_workload(workload("rename, absolute"), service.renames_round_ring(), [&] { service.attend(); });
  service.settle();
  for (const Workload& work : workloads()) {
    if (!is_chosen(work) || !possible(work) || interrupted != 0) continue;
    const double cpu = service.cpu_seconds();
    const std::uint64_t events = service.events(), lost = service.lost();
    Numbers& numbers = result.work[work.name];
    numbers.caller_ns.push_back(run_workload(work, work.calls, [&] { service.attend(); }));
    service.settle();
    const std::uint64_t told = service.events() - events;
    numbers.events += told;
    result.lost += service.lost() - lost;
    // Fewer are those of other processes on the host: no number to divide by.
    if (told > work.calls * work.operations / 2 || (work.calls == 1 && told > 50))
      numbers.service_us.push_back((service.cpu_seconds() - cpu) * 1e6 / static_cast<double>(told));
  }
  result.peak_kib = std::max(result.peak_kib, service.peak_kib());
  result.resident_kib = std::max(result.resident_kib, service.resident_kib());
  result.bytes_per_event = service.bytes_per_event();
}

int run(unsigned rounds, const std::string& output) {
  namespace fs = std::filesystem;
  char folder[] = "/tmp/auditshift-services-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  std::mt19937 random(1);
  std::vector<Variant> variants(std::begin(kVariants), std::end(kVariants));
  Results results;
  for (unsigned round = 0; round < rounds && interrupted == 0; ++round) {
    std::shuffle(variants.begin(), variants.end(), random);
    const auto now = variants;
    for (const Variant variant : now) {
      const std::string directory = std::string(folder) + "/" + std::to_string(static_cast<int>(variant));
      const auto service = start(variant, directory);
      if (service.ok()) {
        measure(**service, results[variant]);
      } else {
        std::fprintf(stderr, "%s is left out: %s\n", name_of(variant), service.error().message().c_str());
        if (variant != Variant::auditd) return 1;
        std::erase(variants, variant);
      }
      std::error_code ignored;
      fs::remove_all(directory, ignored);
    }
    std::fprintf(stderr, "round %u of %u\n", round + 1, rounds);
  }
  rmdir(folder);
  if (interrupted != 0) return 130;
  tell(results, rounds, Report(output));
  return 0;
}

}  // namespace
}  // namespace auditshift::bench

int main(int count, char** values) {
  if (geteuid() != 0) {
    std::fprintf(stderr, "error: root is needed to run auditd and the sensor\n");
    return 1;
  }
  // Not at once: rules and settings of audit are taken back first.
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int) { auditshift::bench::interrupted = 1; });
  for (int i = 3; i < count; ++i) {
    const auto all = auditshift::bench::workloads();
    if (std::none_of(all.begin(), all.end(),
                     [&](const auto& work) { return std::string_view(work.name) == values[i]; })) {
      std::fprintf(stderr, "error: no such workload: %s (there are:", values[i]);
      for (const auto& work : all) std::fprintf(stderr, " \"%s\"", work.name);
      std::fprintf(stderr, ")\n");
      return 64;
    }
    auditshift::bench::chosen.emplace_back(values[i]);
  }
  const auditshift::bench::WorkDirectory directory;
  return auditshift::bench::run(count > 1 ? static_cast<unsigned>(std::atoi(values[1])) : 7,
                                count > 2 ? values[2] : "");
}
