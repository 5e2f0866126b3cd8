// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "auditd/parser.h"

namespace auditshift::auditd {

/// Warnings and notes on a rule that auditctl and kernel accept, but that surely or perhaps does not do what
/// was meant. `offsets` tells where each field of the rule stands in its line.
std::vector<Diagnostic> remarks_on(const Rule& rule, const std::vector<std::size_t>& offsets,
                                   const ParseOptions& options);

/// The same for the bytes of a line: carriage return, tabs, NUL, blanks that are none.
std::vector<Diagnostic> remarks_on_bytes(const Line& line);

}  // namespace auditshift::auditd
