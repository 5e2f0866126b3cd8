// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "migrate/check.h"
#include "migrate/exclusion.h"
#include "migrate/facts.h"
#include "migrate/finding.h"
#include "migrate/inventory.h"

namespace auditshift::migrate {

/// The answer in one word.
enum class Verdict {
  ready,               ///< a switch can go through without a reboot
  ready_after_reboot,  ///< a switch can go through, and needs a reboot to take effect
  needs_consent,       ///< exclusions wait for a decision
  blocked,             ///< a finding stands in the way
  netlink_only,        ///< without audit this host gets process events only
  already_switched,    ///< the agent uses eBPF, and no Defender rule is left
};
std::string_view to_string(Verdict verdict);  ///< as in the JSON: "ready-after-reboot"

/// What became of one check.
struct CheckReport {
  std::string id;
  std::string title;
  enum class Outcome { found, nothing, not_applicable, not_run, skipped } outcome{};
  std::string reason;  ///< for not_run
};
std::string_view to_string(CheckReport::Outcome outcome);

struct AssessOptions {
  std::set<std::string> skip;    ///< ids of checks not to make
  std::set<std::string> accept;  ///< ids of findings and exclusions the administrator accepts
};

struct Assessment {
  Facts facts;
  std::vector<InventoryRule> rules;
  std::vector<ExclusionIntent> exclusions;
  std::vector<Finding> findings;  ///< in the order of the check tables
  std::vector<CheckReport> checks;
  Verdict verdict = Verdict::blocked;
  std::string next_step;                  ///< what to do now, in words
  std::vector<std::string> plan_summary;  ///< what a switch would do, in order
};

/// Judges the facts. A pure function: the same facts and options give the same assessment.
Assessment assess(Facts facts, const AssessOptions& options);

/// The exit code of the command contract: 0 ready, switched or nothing to do; 2 something blocks; 3 reboot
/// needed.
int exit_code_of(const Assessment& assessment);

/// Ids in `options` that name no check and no exclusion: a likely typing error.
std::vector<std::string> unknown_ids(const Assessment& assessment, const AssessOptions& options);

}  // namespace auditshift::migrate
