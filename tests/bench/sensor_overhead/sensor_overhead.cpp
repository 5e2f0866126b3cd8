// SPDX-License-Identifier: Apache-2.0
// What the sensor adds to a system call, beside what any program there would add.
//
// usage: bench_sensor_overhead [ROUNDS [CALLS]]
//
// Each round runs each workload once per variant, in an order shuffled anew: with nothing attached, with a
// program that counts, with one that submits 64 bytes for a rename, with one that copies its two paths, with
// the sensor and a consumer that discards. CPU time is what counts, not the clock on the wall: the caller's
// own per call, the reader's per million events.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/libbpf_log.h"
#include "bpf/ring_reader.h"
#include "sensor/ebpf_provider.h"
#include "skeletons/bare.skel.h"
#include "tests/bench/sensor_overhead/workloads.h"

namespace auditshift::sensor {
namespace {

using namespace std::chrono_literals;
using namespace bench;

/// Counts and forgets.
class Discard final : public Consumer {
 public:
  void consume(const Event& event) override {
    if (event.kind != EventKind::loss) ++events;
  }
  void end_of_batch() override {}
  std::uint64_t events = 0;
};

/// Something that is attached while a workload runs, and its reader.
class Variant {
 public:
  virtual ~Variant() = default;
  /// Waits a moment and takes what is there.
  virtual void drain() { usleep(20'000); }
  virtual std::uint64_t events() const { return 0; }
  virtual std::uint64_t lost() const { return 0; }
};

struct DestroyBare {
  void operator()(bare_bpf* skeleton) const { bare_bpf::destroy(skeleton); }
};

class Bare final : public Variant {
 public:
  explicit Bare(const char* program) : skeleton_(bare_bpf::open()) {
    skeleton_->rodata->rename_number = SYS_renameat;
    bpf_program* each = nullptr;
    bpf_object__for_each_program(each, skeleton_->obj)
        bpf_program__set_autoload(each, std::strcmp(bpf_program__name(each), program) == 0);
    if (bare_bpf::load(skeleton_.get()) != 0 || bare_bpf::attach(skeleton_.get()) != 0) std::abort();
    ring_ = std::move(*bpf::RingReader::open(bpf_map__fd(skeleton_->maps.ring)));
  }
  void drain() override {
    usleep(20'000);
    while (!ring_.next().empty()) ++events_;
    ring_.release();
  }
  std::uint64_t events() const override { return events_; }

 private:
  std::unique_ptr<bare_bpf, DestroyBare> skeleton_;
  bpf::RingReader ring_;
  std::uint64_t events_ = 0;
};

class Whole final : public Variant {
 public:
  Whole() : provider_({}, clock_) {
    const auto started = provider_.start();
    if (!started.ok()) {
      std::fprintf(stderr, "error: %s\n", started.error().message().c_str());
      std::exit(1);
    }
  }
  void drain() override { (void)provider_.poll(20ms, discard_); }
  std::uint64_t events() const override { return discard_.events; }
  std::uint64_t lost() const override {
    std::uint64_t count = 0;
    for (const DropCounter& drop : provider_.drops()) count += drop.count;
    return count;
  }

 private:
  base::SystemClock clock_;
  EbpfProvider provider_;
  Discard discard_;
};

const char* const kVariants[] = {"nothing", "counter", "64 bytes", "copy paths", "sensor"};
constexpr std::size_t kCounter = 1, kCopyPaths = 3, kSensor = 4;

std::unique_ptr<Variant> make_variant(std::size_t index) {
  switch (index) {
    case kCounter:
      return std::make_unique<Bare>("count_calls");
    case 2:
      return std::make_unique<Bare>("submit_fixed");
    case kCopyPaths:
      return std::make_unique<Bare>("copy_paths");
    case kSensor:
      return std::make_unique<Whole>();
    default:
      return std::make_unique<Variant>();
  }
}

struct Measurement {
  double caller_ns = 0;             ///< CPU time per call
  double reader_s_per_million = 0;  ///< CPU time of this process per million events
  std::uint64_t lost = 0;
};

Measurement measure(const Workload& workload, std::size_t variant, std::uint64_t calls) {
  const auto attached = make_variant(variant);
  const double reader_before = cpu_seconds(RUSAGE_SELF);
  Measurement result;
  result.caller_ns = run_workload(workload, calls, [&] { attached->drain(); });
  attached->drain();
  result.lost = attached->lost();
  const std::uint64_t events = attached->events();
  if (events > calls / 2) {
    result.reader_s_per_million =
        (cpu_seconds(RUSAGE_SELF) - reader_before) * 1e6 / static_cast<double>(events);
  }
  return result;
}

void run(unsigned rounds, std::uint64_t calls) {
  std::mt19937 random(1);
  std::printf("%-20s %10s | added ns per call (CPU s of the reader per million events)\n", "", "nothing");
  for (const Workload& workload : workloads()) {
    std::vector<std::vector<double>> caller(std::size(kVariants)), reader(std::size(kVariants));
    std::uint64_t lost = 0;
    std::vector<double> added[std::size(kVariants)];
    for (unsigned round = 0; round < rounds; ++round) {
      std::vector<std::size_t> order = {0, 1, 2, 3, 4};
      std::shuffle(order.begin(), order.end(), random);
      double of_round[std::size(kVariants)] = {};
      for (const std::size_t variant : order) {
        const Measurement result = measure(workload, variant, calls / workload.divisor / 2 * 2);
        of_round[variant] = result.caller_ns;
        caller[variant].push_back(result.caller_ns);
        reader[variant].push_back(result.reader_s_per_million);
        lost += result.lost;
      }
      for (std::size_t variant = 1; variant < std::size(kVariants); ++variant) {
        added[variant].push_back(of_round[variant] - of_round[0]);
      }
    }
    std::printf("%-20s %10.0f |", workload.name, median(caller[0]));
    for (std::size_t variant = 1; variant < std::size(kVariants); ++variant) {
      std::printf("  %s %+.0f", kVariants[variant], median(added[variant]));
      if (median(reader[variant]) > 0) std::printf(" (%.2f)", median(reader[variant]));
    }
    // Of each round the two beside each other: the machine is not equally busy all the time.
    const std::size_t bare = std::string_view(workload.name).starts_with("rename") ? kCopyPaths : kCounter;
    std::vector<double> ratios;
    for (unsigned round = 0; round < rounds; ++round)
      if (added[bare][round] > 0) ratios.push_back(added[kSensor][round] / added[bare][round]);
    std::printf("  sensor to %s %.2f", kVariants[bare], median(ratios));
    std::printf("  lost %llu\n", static_cast<unsigned long long>(lost));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace auditshift::sensor

int main(int count, char** values) {
  auditshift::bpf::route_libbpf_messages();
  const auditshift::bench::WorkDirectory directory;
  auditshift::sensor::run(count > 1 ? static_cast<unsigned>(std::atoi(values[1])) : 7,
                          count > 2 ? std::strtoull(values[2], nullptr, 10) : 1'000'000);
  return 0;
}
