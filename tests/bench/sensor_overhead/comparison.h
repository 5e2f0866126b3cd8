// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/sensor_overhead/report.h"

namespace auditshift::bench {

/// What is beside the workloads.
enum class Variant { nothing, counter, fixed, paths, statistics, ndjson, exclusions, auditd };
inline constexpr Variant kVariants[] = {Variant::nothing,    Variant::counter,    Variant::fixed,
                                        Variant::paths,      Variant::statistics, Variant::ndjson,
                                        Variant::exclusions, Variant::auditd};
const char* name_of(Variant variant);

/// Of one workload beside one variant; vectors have a value per round.
struct Numbers {
  std::vector<double> caller_ns;   ///< CPU time per operation
  std::vector<double> service_us;  ///< CPU time of the service per event
  std::uint64_t events = 0;
};

struct Result {
  std::map<std::string, Numbers> work;  ///< by name of the workload
  std::uint64_t lost = 0;
  std::uint64_t peak_kib = 0, resident_kib = 0;
  double bytes_per_event = 0;
};

using Results = std::map<Variant, Result>;

/// Makes tables of it, and says which targets are met.
void tell(const Results& results, unsigned rounds, const Report& report);

}  // namespace auditshift::bench
