// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "auditd/parser.h"

namespace auditshift::migrate {

/// A rule from its text; a bad one ends the test.
inline auditd::Rule rule(std::string_view text) {
  const auditd::Line line = auditd::parse_line(text, {"test.rules", 1}, {});
  if (!line.rule || !line.valid()) throw std::runtime_error("bad rule in a test: " + std::string(text));
  return *line.rule;
}

}  // namespace auditshift::migrate
