// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace auditshift::sensor {

/// Where the kernel notes that a task is in a 32-bit system call.
struct CompatMark {
  std::uint32_t offset = 0;  ///< bytes from the start of struct task_struct to a 32-bit word
  std::uint32_t mask = 0;    ///< its bit; 0: there is none to look for
};

/// How 32-bit calls are told from others.
struct CompatFinding {
  CompatMark mark;
  std::string how;  ///< for people: "by the word at 16", "the kernel runs none", why it is not known
  bool known = false;
};

/// Finds it out on the running kernel: a child makes both kinds of calls (x86: int 0x80). Takes what loading
/// the sensor's programs takes.
CompatFinding find_compat_mark();

/// The first word at which `mask` is clear in all `native` copies of a task and set in all `compat` ones.
/// Copies are of equal size. Nothing without copies.
std::optional<std::uint32_t> find_marked_word(std::span<const std::span<const std::byte>> native,
                                              std::span<const std::span<const std::byte>> compat,
                                              std::uint32_t mask);

}  // namespace auditshift::sensor
