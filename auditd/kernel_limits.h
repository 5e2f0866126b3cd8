// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "auditd/rule.h"

namespace auditshift::auditd {

/// Why the kernel answers EINVAL to a rule, whatever the host's state.
struct KernelRefusal {
  std::size_t field = 0;  ///< index of the field that it refuses
  std::string reason;
};

/// The static checks of kernel/auditfilter.c (audit_field_valid, audit_data_to_entry, audit_to_watch,
/// audit_make_tree, audit_alloc_mark) of Linux 6.1, in the kernel's order.
std::optional<KernelRefusal> kernel_refusal(const Rule& rule);

}  // namespace auditshift::auditd
