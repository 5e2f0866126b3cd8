// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sysroot.h"

namespace auditshift::base {

/// Replaces or creates `name` in the open directory; the durable write behind Sysroot::write_atomic and
/// write_file_atomic. `shown` is the path for messages. REQUIRES: `name` is no symbolic link.
Result<void> write_atomic_at(int directory, const std::string& name, std::string_view content,
                             const WriteOptions& options, std::string_view shown);

}  // namespace auditshift::base
