// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auditd/rule.h"
#include "base/sysroot.h"

namespace auditshift::auditd {

/// One assignment of a systemd unit, with the place where it stands.
struct UnitSetting {
  std::string section;
  std::string name;
  std::string value;
  Origin origin;
};

/// Splits a unit file (systemd.syntax(7)): sections, comments, lines continued by a backslash.
std::vector<UnitSetting> parse_unit(std::string_view text, const std::string& file);

/// A unit as systemd would see it: its first file in the search path and all drop-ins.
struct Unit {
  std::string file;  ///< empty: there is no such unit
  bool masked = false;
  std::string enabled_by;             ///< the link in a .wants or .requires directory, or empty
  std::vector<UnitSetting> settings;  ///< in the order in which systemd applies them
  std::vector<std::string> errors;    ///< files that could not be read

  bool exists() const { return !file.empty(); }
  /// The values that hold for a list setting: an empty assignment takes back the ones before.
  std::vector<const UnitSetting*> list(std::string_view section, std::string_view name) const;
};

Unit read_unit(const base::Sysroot& host, const std::string& name);

}  // namespace auditshift::auditd
