// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "sensor/event.h"

namespace auditshift::sensor {

/// Reads a struct sockaddr of any family in the host's layout; `bytes` may end anywhere, what is missing
/// reads as zero. Fewer than two bytes are no address. The path of a unix address points into `bytes`.
Address decode_address(std::string_view bytes, bool truncated);

}  // namespace auditshift::sensor
