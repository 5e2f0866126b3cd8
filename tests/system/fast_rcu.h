// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

namespace auditshift::testing {

/// Removing an audit rule waits for the readers of the rule lists, 10 to 20 ms each time. While this lives,
/// the kernel hurries them (Documentation/RCU, rcu_expedited); then the setting is as before.
class FastRcu {
 public:
  FastRcu() {
    std::ifstream(kSetting) >> before_;
    if (!before_.empty()) std::ofstream(kSetting) << "1\n";
  }
  ~FastRcu() {
    if (!before_.empty()) std::ofstream(kSetting) << before_ << "\n";
  }
  FastRcu(const FastRcu&) = delete;
  FastRcu& operator=(const FastRcu&) = delete;

 private:
  static constexpr const char* kSetting = "/sys/kernel/rcu_expedited";
  std::string before_;
};

}  // namespace auditshift::testing
