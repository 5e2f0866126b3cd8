// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "migrate/assess.h"

namespace auditshift::migrate::fleet {

/// A finding as one host's assessment tells it.
struct ReportedFinding {
  std::string id;
  std::string title;
  FindingSeverity severity = FindingSeverity::info;
  Blocks blocks = Blocks::none;
  bool accepted = false;
  std::string diagnosis;

  /// Stands in the way of a switch, acceptance considered.
  bool is_blocking() const {
    return blocks == Blocks::mandatory || (blocks == Blocks::overridable && !accepted);
  }
};

/// An exclusion as one host's assessment tells it.
struct ReportedExclusion {
  std::string id;
  std::string intent;
  std::string result;  ///< exact, broader, narrower, none
  std::string kind;    ///< of the entry: folder, file, process, extension; empty without one
  std::string value;   ///< of the entry
  std::vector<std::string> dangers;
  bool serves_user_rules = false;
  bool already_managed = false;
  bool consent_needed = false;
  bool carried_over = false;
};

/// What a fleet report keeps of one assessment: small, whatever the size of the document.
struct HostReport {
  std::string file;  ///< where it stood, below the directory that was read
  std::string hash;  ///< SHA-256 of its bytes; empty when not asked for
  std::string hostname;
  std::string machine_id;
  base::WallTime generated_at{};
  std::string tool_version;
  Verdict verdict = Verdict::blocked;
  std::string next_step;
  // Empty: unknown.
  std::string distribution;
  std::string distribution_name;
  std::string distribution_version;
  std::string kernel;
  std::string architecture;
  std::string audit_state;
  std::string sensor_tier;
  std::string agent;
  std::string agent_build;
  std::string event_provider;
  std::string expires;  ///< "2027-01-31"
  /// Lines of audit configuration by owner, in the order of Owner.
  std::array<std::size_t, 5> rules{};
  std::vector<ReportedFinding> findings;
  std::vector<ReportedExclusion> exclusions;

  /// A person has to do something before this host can be switched.
  bool needs_attention() const;
  std::size_t exclusions_waiting() const;
};

/// All verdicts, in the order in which reports show them: what needs a person first, done last.
inline constexpr std::array<Verdict, 6> kVerdicts = {
    Verdict::blocked, Verdict::needs_consent,      Verdict::netlink_only,
    Verdict::ready,   Verdict::ready_after_reboot, Verdict::already_switched};

/// Reads the text of a file. Not an assessment but another JSON document (a plan, an outcome): nothing. Text
/// longer than 4,096 bytes is cut; more than 500 findings or 2,000 exclusions are refused.
base::Result<std::optional<HostReport>> parse_host_report(std::string_view text, const std::string& file);

}  // namespace auditshift::migrate::fleet
