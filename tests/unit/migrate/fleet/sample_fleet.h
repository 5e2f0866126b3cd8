// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.h"
#include "migrate/fleet/fleet.h"
#include "tests/unit/temporary_tree.h"

namespace auditshift::migrate::fleet {

/// The smallest assessment that this reader takes.
inline base::Json small_assessment(const std::string& hostname, const std::string& time,
                                   const std::string& verdict) {
  return {{"schema_version", "1.0"},
          {"tool_version", "0.1.0"},
          {"generated_at", time},
          {"host", {{"hostname", hostname}, {"machine_id", "m-" + hostname}, {"kernel", "6.1.0"}}},
          {"verdict", verdict},
          {"rules", base::Json::array()},
          {"findings", base::Json::array()},
          {"exclusions", base::Json::array()}};
}

inline std::string text_of(const base::Json& json) { return base::dump_json(json, base::JsonStyle::pretty); }

/// The text of a sample host's assessment.
inline std::string sample(const std::string& name) {
  std::ifstream in(std::string(AUDITSHIFT_FIXTURES "/golden/") + name + ".json", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Reads a tree and makes the fleet of it, as seen at noon of 2026-10-01.
inline Fleet fleet_of(const tests::TemporaryTree& tree, FleetOptions options = {}, unsigned threads = 2) {
  options.now = *base::parse_utc("2026-10-01T12:00:00Z");
  FleetBuilder builder;
  base::NoProgress progress;
  ReadOptions how;
  how.threads = threads;
  auto reading = read_directory(
      tree.open(), how,
      [&](HostReport report) {
        builder.add(std::move(report));
        return base::Result<void>();
      },
      progress);
  if (!reading) throw std::runtime_error(reading.error().message());
  return std::move(builder).finish(*std::move(reading), std::move(options));
}

}  // namespace auditshift::migrate::fleet
