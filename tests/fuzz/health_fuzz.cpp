// SPDX-License-Identifier: Apache-2.0
// Any bytes as the agent's answers, which the host's files and other users' entries flow into: they are read,
// and a field that was read is what `get` tells.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "migrate/health.h"
#include "migrate/local_exclusions.h"

using namespace auditshift::migrate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Health health = parse_health(text);
  for (const auto& [name, field] : health.fields) {
    if (health.get(name) != field.value) std::abort();
    // "Mar 23, 2024 at 08:19:40 PM": a date that was read is one of its century's.
    if (const auto day = parse_health_date(field.value)) {
      const std::chrono::year_month_day date(*day);
      if (!date.ok() || date.year() > std::chrono::year(9999)) std::abort();
    }
  }
  (void)parse_health_date(text);
  for (const ManagedExclusion& exclusion : parse_exclusion_list(text)) {
    if (exclusion.value.empty()) std::abort();
  }
  return 0;
}
