// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/process.h"

namespace auditshift::migrate::outside {

struct PackageOptions {
  std::chrono::milliseconds lock_patience{300'000};   ///< while another process holds the manager's lock
  std::chrono::milliseconds lock_pause{3'000};        ///< between two tries
  std::chrono::milliseconds change_limit{1'800'000};  ///< for one installation, downloads included
};

/// Runs the programs of one package manager, without a person at the keyboard.
class PackageRunner {
 public:
  /// True when this end of a program means that another process holds the manager's lock.
  using Locked = std::function<bool(const base::Completed&)>;

  PackageRunner(std::shared_ptr<base::ProcessRunner> processes, PackageOptions options, Locked locked);

  // Both try again while another process holds the lock. Errors: busy when that takes too long.

  /// Runs a program that only asks, and gives back however it ended.
  base::Result<base::Completed> ask(const std::vector<std::string>& argv);
  /// Runs a program that changes something. `also_done`: exit codes beside 0 with which it did. Errors: the
  /// manager's last words when it fails.
  base::Result<void> change(const std::vector<std::string>& argv, const std::string& what,
                            const std::vector<int>& also_done = {});

 private:
  base::Result<base::Completed> run_unlocked(const std::vector<std::string>& argv,
                                             std::chrono::milliseconds limit);
  base::Result<base::Completed> run(const std::vector<std::string>& argv, std::chrono::milliseconds limit);

  std::shared_ptr<base::ProcessRunner> processes_;
  PackageOptions options_;
  Locked locked_;
};

}  // namespace auditshift::migrate::outside
