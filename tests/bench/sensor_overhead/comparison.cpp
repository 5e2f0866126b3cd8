// SPDX-License-Identifier: Apache-2.0
// The same work with nothing beside it, with auditd and rules like Defender's, with the sensor that only
// counts, and with the sensor that writes NDJSON.
//
// usage: bench_comparison [ROUNDS [CALLS]]
//
// Each round starts each of them, in an order shuffled anew, and does all workloads under it. Root is needed.
// auditd runs in a directory of its own, with rules that are taken away again; where audit is in use
// already, it is left out.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/bench/sensor_overhead/services.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::bench {
namespace {

constexpr const char* kVariants[] = {"nothing", "auditd", "sensor, counts", "sensor, NDJSON"};
constexpr const char* kWork[] = {"getppid",           "rename, absolute",   "open for writing",
                                 "unlink and create", "connect and accept", "vfork and exec"};

struct Numbers {
  std::vector<double> caller_ns;   ///< CPU time per call
  std::vector<double> service_us;  ///< CPU time of the service per event
  std::uint64_t events = 0, lost = 0;
};

/// By workload, and the memory of the service.
struct Result {
  std::map<std::string, Numbers> work;
  std::uint64_t peak_kib = 0;
};

base::Result<std::unique_ptr<Service>> start(std::size_t variant, const std::string& directory) {
  if (variant == 1) return start_auditd(directory);
  if (variant >= 2) return start_sensor(directory, variant == 3);
  return std::make_unique<Service>();
}

volatile std::sig_atomic_t interrupted = 0;

void measure(Service& service, Result& result, std::uint64_t calls) {
  for (const char* name : kWork) {
    if (interrupted != 0) return;
    const Workload& work = workload(name);
    service.settle();
    const double cpu = service.cpu_seconds();
    const std::uint64_t events = service.events(), lost = service.lost();
    Numbers& numbers = result.work[name];
    numbers.caller_ns.push_back(run_workload(work, calls / work.divisor, [] { usleep(20'000); }));
    service.settle();
    const std::uint64_t told = service.events() - events;
    numbers.events += told;
    numbers.lost += service.lost() - lost;
    // Fewer are those of other processes on the host: no number to divide by.
    if (told > calls / work.divisor / 2)
      numbers.service_us.push_back((service.cpu_seconds() - cpu) * 1e6 / static_cast<double>(told));
  }
  result.peak_kib = std::max(result.peak_kib, service.peak_kib());
}

void print(const std::vector<Result>& results) {
  std::printf("%-20s %-16s %10s %8s %10s %10s %12s\n", "", "", "ns a call", "ratio", "events", "lost",
              "CPU s / 1e6");
  for (const char* name : kWork) {
    const double bare = median(results[0].work.at(name).caller_ns);
    for (std::size_t variant = 0; variant < results.size(); ++variant) {
      const auto found = results[variant].work.find(name);
      if (found == results[variant].work.end()) continue;
      const Numbers& numbers = found->second;
      std::printf("%-20s %-16s %10.0f %8.2f %10llu %10llu", variant == 0 ? name : "", kVariants[variant],
                  median(numbers.caller_ns), median(numbers.caller_ns) / bare,
                  static_cast<unsigned long long>(numbers.events),
                  static_cast<unsigned long long>(numbers.lost));
      if (!numbers.service_us.empty()) std::printf(" %12.2f", median(numbers.service_us));
      std::printf("\n");
    }
  }
  for (std::size_t variant = 1; variant < results.size(); ++variant)
    std::printf("peak memory of %-16s %8.1f MiB\n", kVariants[variant],
                static_cast<double>(results[variant].peak_kib) / 1024);
}

int run(unsigned rounds, std::uint64_t calls) {
  namespace fs = std::filesystem;
  char folder[] = "/tmp/auditshift-services-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  std::mt19937 random(1);
  std::vector<std::size_t> variants = {0, 1, 2, 3};
  std::vector<Result> results(variants.size());
  for (unsigned round = 0; round < rounds && interrupted == 0; ++round) {
    std::shuffle(variants.begin(), variants.end(), random);
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const std::string directory = std::string(folder) + "/" + std::to_string(variants[i]);
      const auto service = start(variants[i], directory);
      if (service.ok()) {
        measure(**service, results[variants[i]], calls);
      } else {
        std::fprintf(stderr, "%s is left out: %s\n", kVariants[variants[i]],
                     service.error().message().c_str());
        if (variants[i] != 1) return 1;
        variants.erase(variants.begin() + static_cast<std::ptrdiff_t>(i--));
      }
      std::error_code ignored;
      fs::remove_all(directory, ignored);
    }
    std::fprintf(stderr, "round %u of %u\n", round + 1, rounds);
  }
  rmdir(folder);
  if (interrupted != 0) return 130;
  print(results);
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
  const auditshift::bench::WorkDirectory directory;
  return auditshift::bench::run(count > 1 ? static_cast<unsigned>(std::atoi(values[1])) : 7,
                                count > 2 ? std::strtoull(values[2], nullptr, 10) : 200'000);
}
