// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "sensor/event.h"
#include "sensor/field_table.h"

namespace auditshift::sensor {

/// At least one event of every kind, with every member of the model set somewhere; all text is static.
std::vector<Event> sample_events();

StreamIdentity sample_stream();

}  // namespace auditshift::sensor
