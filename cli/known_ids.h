// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "migrate/assess.h"

namespace auditshift::cli {

/// An id nobody knows is a typing error; going on would skip or accept something else than was meant.
base::Result<void> check_ids(const migrate::Assessment& assessment, const migrate::AssessOptions& ids);

}  // namespace auditshift::cli
