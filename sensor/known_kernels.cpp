// SPDX-License-Identifier: Apache-2.0
#include "sensor/known_kernels.h"

#include <algorithm>

namespace auditshift::sensor {
namespace {

struct BadKernel {
  std::string_view release;
  std::string_view what;
};

// From Microsoft's documentation of Defender's eBPF sensor, "known issues": Oracle Linux 8.8 with these UEK
// releases hangs or panics; a kernel above or below does not.
constexpr BadKernel kBadKernels[] = {
    {"5.15.0-0.30.20.el8uek.x86_64", "it hangs or panics when system calls are traced"},
    {"5.15.0-0.30.20.1.el8uek.x86_64", "it hangs or panics when system calls are traced"},
};

}  // namespace

std::optional<std::string> known_bad_kernel(std::string_view release,
                                            const std::vector<std::string>& accepted) {
  if (std::find(accepted.begin(), accepted.end(), release) != accepted.end()) return std::nullopt;
  for (const BadKernel& kernel : kBadKernels) {
    if (release == kernel.release)
      return "kernel " + std::string(release) + " is known to be bad: " + std::string(kernel.what);
  }
  return std::nullopt;
}

}  // namespace auditshift::sensor
