// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/unit/migrate/change/fault_harness.h"

namespace auditshift::tests {

/// A host with changeable audit: managed configuration, agent, rules on disk and in the kernel.
FaultScenario changeable_scenario();
/// The same with rules that lock the kernel: half of the steps wait for the reboot.
FaultScenario locked_scenario();

}  // namespace auditshift::tests
