// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "migrate/change/step.h"

namespace auditshift::tests {

/// Steps that change the simulated worlds, for plans of the engine's own tests:
///   test-kernel-rules {rules}  deletes these from the kernel; undo puts all rules back in their order
///   test-provider              switches the agent to eBPF
///   test-eager {path}          removes a file already when it is looked at: the wrong order, on purpose
///   test-refuses {}            cannot be applied
/// All others are the real ones.
base::Result<std::unique_ptr<migrate::change::Step>> make_test_step(const migrate::change::StepSpec& spec);

}  // namespace auditshift::tests
