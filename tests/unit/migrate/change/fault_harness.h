// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "migrate/change/transaction.h"
#include "tests/unit/migrate/change/simulated_host.h"

namespace auditshift::tests {

/// What is exercised: a host, a plan, and how its steps are made and verified.
struct FaultScenario {
  SimulatedHost::Options options;
  std::function<void(SimulatedHost&)> prepare;
  std::function<migrate::change::Plan(SimulatedHost&)> plan;
  migrate::change::StepMaker make = migrate::change::make_step;
  std::function<base::Result<migrate::change::Verification>(const migrate::change::Host&,
                                                            const migrate::change::Plan&)>
      verify;
  /// What helps a failed verification, once; see TransactionOptions::remedy.
  std::function<base::Result<std::optional<migrate::change::Plan>>(
      const migrate::change::Host&, const migrate::change::Plan&, const migrate::change::Verification&)>
      remedy;
  /// A plan that the complete switch is extended by.
  std::function<migrate::change::Plan(SimulatedHost&)> extension;
  /// A disk that lies about syncing such paths; only to show that the harness notices.
  std::vector<std::string> lies;
  /// Verification says no: every way leads back to the old state.
  bool ends_old = false;
  /// The lock is on disk, and a boot puts it into force: that a host is locked makes it no other one.
  bool locks_at_boot = false;
};

struct FaultLimits {
  /// Inside a recovery only every so-manieth point is hurt, another one for each state. 1: every one.
  std::size_t recovery_stride = 29;
  /// Each point with each errno; otherwise with one of them, in turn.
  bool every_error = true;
  /// Each point in each way; otherwise each in every so-manieth of them, in turn.
  std::size_t harm_stride = 1;
  /// Stop after so many violations.
  std::size_t violations = 5;
};

struct FaultReport {
  std::size_t points = 0;      ///< places at which the undisturbed ways were hurt
  std::size_t runs = 0;        ///< times that a way was hurt
  std::size_t recoveries = 0;  ///< checked: by resume and by rollback
  std::size_t states = 0;      ///< different states of the host after a fault
  std::vector<std::string> violations;
};

/// Hurts begin, extend, resume, rollback and commit at each of their fault points in each way, then recovers
/// by resume and by rollback, and hurts those recoveries as well. After every recovery the host must be
/// entirely new or entirely old: files with owner, mode and extended attributes, kernel rules in order,
/// agent, services and packages.
FaultReport run_faults(const FaultScenario& scenario, const FaultLimits& limits = {});

/// A test of it: run_faults finds no violation. `usual` are the limits unless AUDITSHIFT_FAULTS is set: `all`
/// hurts every point of every recovery too, which takes minutes; `few` each point in one or two of the ways
/// only.
void expect_whole(const FaultScenario& scenario, const char* name, FaultLimits usual);

}  // namespace auditshift::tests
