// SPDX-License-Identifier: Apache-2.0
// Bytes that claim to be a rule from the kernel: refused, or encoded again to the same rule.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "auditd/kernel.h"
#include "auditd/normalize.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auditshift::auditd;  // NOLINT: one purpose
  std::vector<std::uint64_t> aligned((size + 7) / 8);
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const auto rule = from_kernel(reinterpret_cast<const audit_rule_data*>(aligned.data()), size);
  if (!rule.ok()) return 0;
  const std::string listed = normalize(*rule, {3, 0, 9}, "x86_64");
  const std::vector<unsigned char> bytes = to_kernel(*rule);
  aligned.assign((bytes.size() + 7) / 8, 0);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto again = from_kernel(reinterpret_cast<const audit_rule_data*>(aligned.data()), bytes.size());
  if (!again.ok() || !same_in_kernel(*rule, *again) || rule->verb != again->verb) std::abort();
  if (normalize(*again, {3, 0, 9}, "x86_64") != listed) std::abort();
  (void)rule->keys();
  (void)rule->arch();
  return 0;
}
