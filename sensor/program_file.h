// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/sysroot.h"

namespace auditshift::sensor {

/// Where a path leads to in a file tree, symbolic links followed: the name the kernel itself would give.
/// Empty when there is nothing (any more). Opens nothing for reading.
std::string real_path(const base::Sysroot& tree, const std::string& path);

/// What runs when a file is executed.
struct Program {
  std::string path;  ///< empty when it cannot be told
  std::string argv;  ///< arguments, each ended by NUL
};

/// The file itself or, for a script ("#!"), its interpreter, with the arguments that this one gets
/// (fs/binfmt_script.c). `path` is absolute, in `tree`; `name` how the caller called it, `argv` what it gave.
/// What binfmt_misc adds is not known here.
Program program_of(const base::Sysroot& tree, const std::string& path, const std::string& name,
                   std::string argv);

}  // namespace auditshift::sensor
