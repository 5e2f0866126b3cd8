// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace standin {

/// Renames seen on this machine, by fanotify(7): really seen, so that a test of what the agent sees is one.
struct Sightings {
  std::map<std::string, std::uint64_t> files;
  std::map<std::string, std::uint64_t> initiators;
  std::uint64_t renames = 0;
};

Sightings watch_renames(int milliseconds);

}  // namespace standin
