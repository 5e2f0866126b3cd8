// SPDX-License-Identifier: Apache-2.0
// What an exclusion costs the events that it does not keep back, and what those cost that it does.
//
// usage: bench_exclusion_cost [ROUNDS [CALLS]]
//
// Each round runs a rename with no sensor, and with the sensor and so many entries, in an order shuffled
// anew. The entries are as near to the names of the rename as they can be: a third each programs, files and
// folders of the very directory that the rename works in, so that its names are followed down to the last
// one. What is printed is the CPU time that the kernel side adds to a call.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bpf/libbpf_log.h"
#include "sensor/ebpf_provider.h"
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

double measure(const Workload& work, const Variant& variant, std::uint64_t calls) {
  if (!variant.with_sensor) return run_workload(work, calls, [] { usleep(20'000); });
  const base::SystemClock clock;
  sensor::EbpfProvider provider({}, clock);
  Discard discard;
  auto ready = provider.start();
  if (ready.ok()) ready = provider.exclude(variant.entries);
  if (!ready.ok()) {
    std::fprintf(stderr, "error: %s\n", ready.error().message().c_str());
    std::exit(1);
  }
  return run_workload(work, calls, [&] { (void)provider.poll(20ms, discard).ok(); });
}

void run(unsigned rounds, std::uint64_t calls) {
  char* const here = get_current_dir_name();
  const std::string directory = here;
  free(here);
  std::vector<Variant> variants = {{"no sensor", false, {}}};
  for (const std::size_t count : {0, 10, 1'000, 10'000})
    variants.push_back({"", true, entries_beside(directory, count)});
  variants.push_back({"excluded", true, {{sensor::ExclusionKind::folder, directory}}});
  std::mt19937 random(1);
  std::printf("%-18s %10s | CPU ns that a call costs more, and the ratio to that without entries\n", "",
              "no sensor");
  for (const char* name : {"rename, absolute", "rename, relative", "open for writing"}) {
    const Workload& work = workload(name);
    std::vector<std::vector<double>> added(variants.size());
    std::vector<double> bare;
    for (unsigned round = 0; round < rounds; ++round) {
      std::vector<std::size_t> order(variants.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), random);
      std::vector<double> of_round(variants.size());
      for (const std::size_t i : order)
        of_round[i] = measure(work, variants[i], calls / work.divisor / 2 * 2);
      bare.push_back(of_round[0]);
      for (std::size_t i = 1; i < variants.size(); ++i) added[i].push_back(of_round[i] - of_round[0]);
    }
    std::printf("%-18s %10.0f |", work.name, median(bare));
    const double without = median(added[1]);
    for (std::size_t i = 1; i < variants.size(); ++i) {
      const std::string label =
          i + 1 == variants.size() ? "name excluded" : std::to_string(variants[i].entries.size());
      std::printf("  %s: %.0f (%.2f)", label.c_str(), median(added[i]), median(added[i]) / without);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace auditshift::bench

int main(int count, char** values) {
  auditshift::bpf::route_libbpf_messages();
  const auditshift::bench::WorkDirectory directory;
  auditshift::bench::run(count > 1 ? static_cast<unsigned>(std::atoi(values[1])) : 7,
                         count > 2 ? std::strtoull(values[2], nullptr, 10) : 1'000'000);
  return 0;
}
