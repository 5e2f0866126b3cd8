// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace auditshift::cli {

/// The versions of the libraries this process runs with.
std::string libbpf_version();
std::string libaudit_version();

}  // namespace auditshift::cli
