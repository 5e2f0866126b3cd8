// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace auditshift::sensor {

/// Compares a whole document with tests/fixtures/golden/sensor/NAME; AUDITSHIFT_UPDATE_GOLDEN=1 writes it
/// anew.
inline void expect_golden(const std::string& document, const std::string& name) {
  const std::string path = std::string(AUDITSHIFT_FIXTURES) + "/golden/sensor/" + name;
  if (std::getenv("AUDITSHIFT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << document;
    return;
  }
  std::ostringstream golden;
  golden << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_EQ(document, golden.str()) << path << " (refresh it with ./dev golden)";
}

}  // namespace auditshift::sensor
