// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace auditshift::tests {

/// What a copy of this machine has of its own.
enum class Jail {
  whole,         ///< also processes and network
  shares_audit,  ///< not those two: the kernel's audit system answers in the first of each alone
};

/// Runs `inside` in a copy of this machine that nothing gets out of: its whole file tree with every change in
/// memory, its own mounts and IPC, processes and network (none) too unless `jail` says otherwise. What runs
/// there may install packages as it likes.
///
/// `obstacle` is empty there; when such a copy cannot be made, `inside` runs outside of one with the reason.
/// `tools` is a directory whose files are laid over the tree, if it exists. The result of `inside` comes
/// back. REQUIRES: the process has one thread.
int run_in_jail(const std::string& tools, const std::function<int(const std::string& obstacle)>& inside,
                Jail jail = Jail::whole);

}  // namespace auditshift::tests
