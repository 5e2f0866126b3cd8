// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auditshift::sensor {

/// Why eBPF tracing must not be used on a kernel release (uname -r) although it would load: such kernels hang
/// or panic, which no probe can find out. Nothing for all others, and for those in `accepted`.
std::optional<std::string> known_bad_kernel(std::string_view release,
                                            const std::vector<std::string>& accepted);

}  // namespace auditshift::sensor
