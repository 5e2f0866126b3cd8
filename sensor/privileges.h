// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"

namespace auditshift::sensor {

/// Gives up every capability but `keep` (CAP_* numbers; those this process does not have are passed over),
/// for this process and all it could ever become: bounding set, ambient set, and no_new_privs.
base::Result<void> drop_privileges(const std::vector<int>& keep);

/// Forbids this process, by a seccomp filter, what no sensor does after its start: running programs, tracing,
/// loading modules or kernels, mounting, changing clocks, host names or swap, rebooting. Such a call fails
/// with EPERM. Calls of another ABI than this program's own end the process.
base::Result<void> forbid_system_calls();

}  // namespace auditshift::sensor
