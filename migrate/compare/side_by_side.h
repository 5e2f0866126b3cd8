// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "auditd/kernel.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/result.h"
#include "migrate/compare/comparison.h"
#include "sensor/provider.h"

namespace auditshift::migrate::compare {

/// Who looks, and for how long.
struct SideBySide {
  sensor::Provider& audit;   ///< tells the keys of rules and calls that no kind stands for
  sensor::Provider& sensor;  ///< with the widest options of the rules (RuleBook::widest_options)
  auditd::KernelAudit& kernel;
  const base::Clock& clock;
  std::chrono::milliseconds time{20'000};
  std::uint32_t own_pid = 0;
  /// Ends the time early when it says so; may be empty.
  std::function<bool()> stop;
};

/// Starts both providers, lets them look at the same time, and compares. Changes no rule: it reads. Both are
/// stopped at the end. Errors: a provider that does not start, or ends meanwhile.
base::Result<Comparison> compare_live(const SideBySide& sides, const RuleBook& rules,
                                      const SensorSettings& settings, base::Progress& progress);

}  // namespace auditshift::migrate::compare
