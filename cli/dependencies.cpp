// SPDX-License-Identifier: Apache-2.0
#include "cli/dependencies.h"

#include <bpf/libbpf.h>

namespace auditshift::cli {

std::string libbpf_version() {
  return std::to_string(libbpf_major_version()) + "." + std::to_string(libbpf_minor_version());
}

// libaudit does not tell its version at run time; this is the one it was built with.
std::string libaudit_version() { return AUDITSHIFT_LIBAUDIT_VERSION; }

}  // namespace auditshift::cli
