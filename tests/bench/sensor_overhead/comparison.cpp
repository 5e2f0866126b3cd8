// SPDX-License-Identifier: Apache-2.0
// The same work with nothing beside it, with auditd and rules like Defender's, with the sensor that only
// counts, with the sensor that writes NDJSON, and the same with 1,000 exclusions.
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

constexpr const char* kVariants[] = {"nothing", "auditd", "sensor, counts", "sensor, NDJSON",
                                     "1,000 exclusions"};
constexpr std::size_t kAuditd = 1, kCounts = 2, kNdjson = 3, kExclusions = 4;
constexpr unsigned kExclusionEntries = 1000;
constexpr const char* kWork[] = {
    "getppid",       "rename, absolute", "open for writing", "unlink and create", "connect and accept",
    "fork and exit", "vfork and exec",   "compile"};

struct Numbers {
  std::vector<double> caller_ns;   ///< CPU time per call
  std::vector<double> service_us;  ///< CPU time of the service per event
  std::uint64_t events = 0, lost = 0;
};

/// By workload, and the memory of the service.
struct Result {
  std::map<std::string, Numbers> work;
  std::uint64_t peak_kib = 0, resident_kib = 0;
  double bytes_per_event = 0;
};

base::Result<std::unique_ptr<Service>> start(std::size_t variant, const std::string& directory) {
  if (variant == kAuditd) return start_auditd(directory);
  if (variant >= kCounts)
    return start_sensor(directory, variant != kCounts, variant == kExclusions ? kExclusionEntries : 0);
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
  result.resident_kib = std::max(result.resident_kib, service.resident_kib());
  result.bytes_per_event = service.bytes_per_event();
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
    std::printf("%-16s resident %.1f MiB (peak %.1f), bytes per event %.0f\n", kVariants[variant],
                static_cast<double>(results[variant].resident_kib) / 1024,
                static_cast<double>(results[variant].peak_kib) / 1024, results[variant].bytes_per_event);
}

/// What a service adds to a call, by round: the two that were beside each other.
double added(const Result& with, const Result& without, const char* work) {
  const auto found = with.work.find(work);
  if (found == with.work.end()) return 0;
  const auto& a = found->second.caller_ns;
  const auto& b = without.work.at(work).caller_ns;
  std::vector<double> differences;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) differences.push_back(a[i] - b[i]);
  return median(differences);
}

/// The whole cost of an event: what the caller pays and what the service spends, CPU time.
void print_against_auditd(const std::vector<Result>& results) {
  const char* const rename = "rename, absolute";
  if (results[kAuditd].work.empty()) return;
  const auto whole = [&](std::size_t variant) {
    return added(results[variant], results[0], rename) +
           median(results[variant].work.at(rename).service_us) * 1000;
  };
  const double auditd = whole(kAuditd);
  for (const std::size_t variant : {kCounts, kNdjson, kExclusions})
    std::printf(
        "rename, added to the caller: auditd %.0f ns, %s %.0f ns; with the service: %.0f and %.0f ns, "
        "1/%.0f of auditd\n",
        added(results[kAuditd], results[0], rename), kVariants[variant],
        added(results[variant], results[0], rename), auditd, whole(variant), auditd / whole(variant));
}

int run(unsigned rounds, std::uint64_t calls) {
  namespace fs = std::filesystem;
  char folder[] = "/tmp/auditshift-services-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  std::mt19937 random(1);
  std::vector<std::size_t> variants = {0, 1, 2, 3, 4};
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
        if (variants[i] != kAuditd) return 1;
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
  print_against_auditd(results);
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
