// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "migrate/facts.h"

namespace auditshift::migrate {

enum class FindingSeverity { info, low, medium, high };
std::string_view to_string(FindingSeverity severity);

/// Whether a finding stands in the way of a switch; an axis of its own beside severity.
enum class Blocks {
  none,
  overridable,  ///< until the administrator accepts this id
  mandatory,    ///< until it is mended
};
std::string_view to_string(Blocks blocks);

/// Something to do about a finding.
struct Remediation {
  std::string hint{};               ///< in words
  std::vector<std::string> argv{};  ///< a command to run, or empty
  bool safe = false;                ///< the command changes nothing, or can be undone without loss
  bool reboot = false;              ///< it takes effect with the next boot only
};

/// One thing that a check found on this host.
struct Finding {
  std::string id;     ///< of its check, as "AUD003"
  std::string title;  ///< of its check
  FindingSeverity severity = FindingSeverity::info;
  Blocks blocks = Blocks::none;
  bool accepted = false;    ///< the administrator accepted this id
  std::string description;  ///< what the check is about, the same on every host
  std::string diagnosis;    ///< what is true on this host
  std::vector<Evidence> evidence;
  base::Json data = base::Json::object();  ///< the diagnosis as parameters
  std::vector<Remediation> remediations;

  /// Stands in the way of a switch, acceptance considered.
  bool is_blocking() const {
    return blocks == Blocks::mandatory || (blocks == Blocks::overridable && !accepted);
  }
};

}  // namespace auditshift::migrate
