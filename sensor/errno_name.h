// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace auditshift::sensor {

/// 13 → "EACCES"; empty when the number has no name.
std::string_view errno_name(int number);

}  // namespace auditshift::sensor
