// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace auditshift::tests {

/// Runs `inside` in a copy of this machine that nothing gets out of: its whole file tree with every change in
/// memory, its own processes, mounts, IPC and network (none). What runs there may install packages as it
/// likes.
///
/// `obstacle` is empty there; when such a copy cannot be made, `inside` runs outside of one with the reason.
/// `tools` is a directory whose files are laid over the tree, if it exists. The result of `inside` comes
/// back. REQUIRES: the process has one thread.
int run_in_jail(const std::string& tools, const std::function<int(const std::string& obstacle)>& inside);

}  // namespace auditshift::tests
