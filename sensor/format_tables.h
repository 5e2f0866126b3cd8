// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "sensor/field_table.h"

namespace auditshift::sensor {

/// The tables behind format_fields().
std::span<const Field> ecs_fields();
std::span<const Field> ocsf_fields();
std::span<const Field> raw_fields();

}  // namespace auditshift::sensor
