// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sensor/event.h"
#include "sensor/kernel_object.h"

/// Tier fentry's way to system calls: hooks on the kernel functions that carry out the watched ones.
namespace auditshift::sensor {

/// A kernel function that is called with the registers of a system call and returns its result.
struct CallFunction {
  std::string name;             ///< "__x64_sys_rename"
  std::uint32_t type_id = 0;    ///< in the kernel's BTF
  std::uint32_t prototype = 0;  ///< the same; programs go on in each other only where it is equal

  bool operator==(const CallFunction&) const = default;
};

/// What the functions of a call may be called after the prefix of their ABI: mostly its own name, but 32-bit
/// calls have their 16-bit ids and 32-bit times, and some bear an older name
/// (arch/x86/entry/syscalls/syscall_32.tbl).
std::vector<std::string> function_names(std::string_view call);

/// Those of the running kernel that carry out a call which can bring an event of `kinds`, of every ABI, in
/// the order of their names. A function too many does no harm, as the program looks at the call's number. An
/// error when the kernel has no type information or none of the functions.
base::Result<std::vector<CallFunction>> find_call_functions(const KindSet& kinds);

/// Programs that are not attached, one for each function.
struct CallHooks {
  std::vector<base::Fd> programs;  ///< in the order of the functions
  std::vector<base::Fd>
      handlers;  ///< program arrays: empty themselves when nobody holds or pins them any more
};

/// The first function of each prototype, in their order.
std::vector<CallFunction> prototypes(std::span<const CallFunction> functions);

/// Says which programs of the object are to be loaded, and for which functions; before it is. An error when
/// the functions have more prototypes than the object has programs.
base::Result<void> prepare_call_handlers(const KernelObject& object, std::span<const CallFunction> functions);

/// REQUIRES: `object` was prepared for these functions and loaded.
base::Result<CallHooks> load_call_hooks(const KernelObject& object, std::span<const CallFunction> functions);

}  // namespace auditshift::sensor
