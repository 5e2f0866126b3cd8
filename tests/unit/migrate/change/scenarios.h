// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/unit/migrate/change/fault_harness.h"

namespace auditshift::tests {

/// A host with changeable audit: managed configuration, agent, rules on disk and in the kernel.
FaultScenario changeable_scenario();
/// The same with rules that lock the kernel: half of the steps wait for the reboot.
FaultScenario locked_scenario();
/// Whose verification finds something more, for which there is a remedy; on a locked host with another
/// reboot.
FaultScenario remedied(FaultScenario scenario);
/// Which a later plan adds to; on a locked host with another reboot.
FaultScenario extended(FaultScenario scenario);

}  // namespace auditshift::tests
