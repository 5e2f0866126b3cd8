// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace auditshift::sensor {

enum class ExclusionKind { folder, file, process };

/// "folder", "file", "process".
std::string_view exclusion_kind_name(ExclusionKind kind);

/// One entry of the managed configuration that the sensor obeys. What it means: class Exclusions.
struct Exclusion {
  ExclusionKind kind;
  std::string path;  ///< absolute, clean, without a slash at the end
  bool operator==(const Exclusion&) const = default;
};

}  // namespace auditshift::sensor
